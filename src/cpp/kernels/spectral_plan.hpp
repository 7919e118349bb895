// How fft_tiled cuts a convolution, and what its packed kernel holds.
//
// A tile of the input yields the outputs whose windows lie inside it. All axes but the last are
// transformed as cycles. Along the last one, where t^n stands for point n, the tile's N = 2 M real
// points are taken modulo t^N = -1: points n and n + M become one complex number, so that M complex
// points are the whole spectrum, and none is special (the right-angle convolution of Crandall &
// Fagin, "Discrete weighted transforms and large-integer arithmetic", 1994). The kernel lies turned
// round at a tile's beginning; what wraps around falls on points that are no outputs.
#pragma once

#include "base/desc.hpp"
#include "base/scratch.hpp"
#include "kernels/fft.hpp"
#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kMaxSpectralRank = 3;
// Vectors of output channels that one block of a product spans.
inline constexpr int kPanel = MC_REGISTERS >= 32 ? 2 : 1;

struct SpectralPlan {
  bool depthwise;       // groups of one channel lie in the lanes, else channels of a group do
  bool kept;            // whether the packed kernel holds spectra; else each run computes them
  int last;             // the axis whose rows are folded to complex numbers
  i64 size[kMaxRank];   // points of a tile
  i64 span[kMaxRank];   // inputs under one window
  i64 step[kMaxRank];   // outputs of a tile
  i64 tiles[kMaxRank];  // along each axis
  i64 pitch[kMaxRank];  // cells from one point to the next
  i64 row;              // cells of a row: half its points
  i64 elements;         // cells of a tile, gaps included
  i64 cells;            // frequencies of a tile
  i64 points;           // of a tile, all axes together
  i64 positions;        // tiles of one image
  i64 taps;
  i64 in_blocks, out_blocks;  // of kLanes channels; of groups where depthwise
  i64 group_spectra;          // scalars of the spectra of a group (of a block of groups)
  Fft fft[kMaxSpectralRank];
  // The packed kernel: Limits, then what these (in bytes) begin.
  i64 twiddles[kMaxSpectralRank], turn, plain, spectra, packed_bytes;
};

// First in the packed kernel. Tiles that hold a larger magnitude are summed directly: a transform
// of theirs might overflow.
struct SpectralLimits {
  double largest;
};

// Null, or why there are no such tiles. Spectra are kept unless the first size is negative.
template <class T>
const char* make_spectral_plan(const Desc& d, SpectralPlan& p) {
  constexpr i64 lanes = kLanes<T>;
  p.last = d.rank - 1;
  p.kept = d.tile[0] > 0;
  p.points = p.positions = p.taps = 1;
  for (int a = p.last; a >= 0; --a) {
    const bool folded = a == p.last;
    p.size[a] = a == 0 && !p.kept ? -d.tile[a] : d.tile[a];
    if (folded && p.size[a] % 2 != 0) return "rows of its tiles have an even number of points";
    if (!plan_fft(folded ? p.size[a] / 2 : p.size[a], p.fft[a]))
      return "sizes of tiles must be products of 2, 3, 5 and 7";
    i64 reach;
    if (__builtin_mul_overflow(d.kernel[a] - 1, d.dilation[a], &reach) || reach >= p.size[a])
      return "the kernel is larger than the tile";
    if (__builtin_mul_overflow(p.points, p.size[a], &p.points) || p.points > kMaxPoints)
      return "the tile is too large";
    p.span[a] = reach + 1;
    p.step[a] = (p.size[a] - p.span[a]) / d.stride[a] + 1;
    p.tiles[a] = ceil_div(d.out_size[a], p.step[a]);
    p.positions *= p.tiles[a];
    p.taps *= d.kernel[a];
  }
  // Odd distances spread the columns of a tile over all sets of a cache.
  p.row = p.size[p.last] / 2;
  p.pitch[p.last] = 1;
  p.elements = p.cells = p.row;
  for (int a = p.last - 1; a >= 0; --a) {
    p.pitch[a] = p.elements | 1;
    p.elements = p.pitch[a] * p.size[a];
    p.cells *= p.size[a];
  }

  p.depthwise = d.in_channels == 1 && d.out_channels == 1 && d.groups > 1;
  if (p.depthwise && !p.kept) return "spectra of single channels are always kept";
  p.in_blocks = ceil_div(p.depthwise ? d.groups : d.in_channels, lanes);
  p.out_blocks = p.depthwise ? p.in_blocks : ceil_div(d.out_channels, lanes);
  const i64 kernels = p.depthwise ? 1 : d.in_channels * p.out_blocks;
  p.group_spectra = p.cells * kernels * 2 * lanes;

  constexpr i64 unit = static_cast<i64>(kAlign);
  i64 at = unit;
  const auto take = [&](i64 scalars) {
    const i64 begin = at;
    at = ceil_div(at + scalars * static_cast<i64>(sizeof(T)), unit) * unit;
    return begin;
  };
  for (int a = 0; a <= p.last; ++a) p.twiddles[a] = take(p.fft[a].twiddles);
  p.turn = take(2 * p.row);
  p.plain = take(d.groups * d.out_channels * d.in_channels * p.taps);
  p.spectra = p.kept ? take((p.depthwise ? p.in_blocks : d.groups) * p.group_spectra) : at;
  p.packed_bytes = at;
  return nullptr;
}

// Where the spectra of input channel c of `channels` with a block of output channels of `blocks`
// begin in those of a frequency: panels of up to kPanel blocks, each
// [input channel][block][real, imaginary][lane].
template <class T>
MC_INLINE i64 spectrum_place(i64 channels, i64 blocks, i64 c, i64 block) {
  const i64 panel = block / kPanel * kPanel;
  const i64 width = min_of(kPanel, blocks - panel);
  return (panel * channels + c * width + block - panel) * 2 * kLanes<T>;
}

// The points of a tile as a problem of its own: what is read where, with no windows.
MC_INLINE Desc points_of(const Desc& d, const SpectralPlan& p) {
  Desc points = d;
  for (int a = 0; a < d.rank; ++a) {
    points.stride[a] = points.dilation[a] = points.kernel[a] = 1;
    points.out_size[a] = points.tile[a] = p.size[a];
  }
  return points;
}

// The tile as a box that is read: see tile.hpp.
MC_INLINE Box box_of(const Desc& points, i64 slack) {
  Box box{};
  for (int a = 0; a < points.rank; ++a) box.tile[a] = points.tile[a];
  measure(points, box, slack);
  return box;
}

}  // namespace
}  // namespace multiconv::MC_TARGET
