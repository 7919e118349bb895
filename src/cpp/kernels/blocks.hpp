// How overlap-save cuts a convolution into blocks, and what a packed kernel holds.
//
// Each block is a tile of the input that yields the outputs whose windows lie inside it. Axes are
// transformed from the last to the first; `first` is the outermost one with more than one point.
#pragma once

#include "base/boundary.hpp"
#include "base/desc.hpp"
#include "base/scratch.hpp"
#include "kernels/fft.hpp"

namespace multiconv::MC_TARGET {

MC_INLINE i64 least(i64 a, i64 b) { return a < b ? a : b; }
MC_INLINE i64 most(i64 a, i64 b) { return a > b ? a : b; }
MC_INLINE constexpr i64 rounded_up(i64 n, i64 unit) { return (n + unit - 1) / unit * unit; }

struct Layout {
  bool complex;
  int first, last;
  i64 span[kMaxRank];    // inputs under one window
  i64 step[kMaxRank];    // outputs of a block
  i64 blocks[kMaxRank];  // along each axis
  i64 pitch[kMaxRank];   // distance of neighbours in the tile
  i64 elements;          // of a tile, its gaps included
  i64 points;            // of a tile
  i64 positions;         // blocks of one image
  i64 taps;
  Fft fft[kMaxRank];
  // The packed kernel: Limits, then what these (in bytes) begin.
  i64 twiddles[kMaxRank], spectra, tap_offsets, tap_values, packed_bytes;
};

// First in the packed kernel. Blocks that hold a larger magnitude are summed directly: a transform
// of theirs might overflow.
struct Limits {
  double largest;
};

// Null, or why the blocks cannot be made.
MC_INLINE const char* make_layout(const Desc& d, Layout& l) {
  l.complex = d.compute == DType::c64 || d.compute == DType::c128;
  l.last = d.rank - 1;
  l.first = l.last;
  l.points = l.positions = l.taps = 1;
  for (int a = l.last; a >= 0; --a) {
    if (!plan_fft(d.tile[a], l.fft[a])) return "block sizes must be products of 2, 3, 5 and 7";
    i64 reach;
    if (__builtin_mul_overflow(d.kernel[a] - 1, d.dilation[a], &reach) || reach >= d.tile[a])
      return "the kernel is larger than the block";
    if (__builtin_mul_overflow(l.points, d.tile[a], &l.points) || l.points > kMaxPoints)
      return "the block is too large";
    if (d.tile[a] > 1) l.first = a;
    l.span[a] = reach + 1;
    l.step[a] = (d.tile[a] - l.span[a]) / d.stride[a] + 1;
    l.blocks[a] = (d.out_size[a] + l.step[a] - 1) / l.step[a];
    l.positions *= l.blocks[a];
    l.taps *= d.kernel[a];
  }
  // Odd distances spread the columns of a tile over all sets of a cache.
  l.elements = 1;
  for (int a = l.last; a >= 0; --a) {
    l.pitch[a] = l.elements == 1 ? 1 : l.elements | 1;
    l.elements = l.pitch[a] * d.tile[a];
  }

  const i64 real = d.compute == DType::f32 || d.compute == DType::c64 ? 4 : 8;
  const i64 kernels = d.groups * d.out_channels;
  constexpr i64 unit = static_cast<i64>(kAlign);
  i64 at = unit;
  const auto take = [&](i64 bytes) {
    const i64 begin = at;
    at = rounded_up(at + bytes, unit);
    return begin;
  };
  for (int a = 0; a < d.rank; ++a) {
    int same = 0;
    while (d.tile[same] != d.tile[a]) ++same;
    l.twiddles[a] = same < a ? l.twiddles[same] : take(l.fft[a].twiddles * real);
  }
  l.spectra = take(kernels * 2 * l.elements * real);
  l.tap_offsets = take(l.taps * static_cast<i64>(sizeof(i64)));
  l.tap_values = take(kernels * l.taps * (l.complex ? 2 : 1) * real);
  l.packed_bytes = at;
  return nullptr;
}

// The dot product of steps with the coordinates of item `index` of a box over axes [begin, end).
MC_INLINE i64 box_offset(i64 index, int begin, int end, const i64* sizes, const i64* steps) {
  i64 at = 0;
  for (int a = end - 1; a >= begin; --a) {
    at += index % sizes[a] * steps[a];
    index /= sizes[a];
  }
  return at;
}

MC_INLINE i64 box_volume(int begin, int end, const i64* sizes) {
  i64 n = 1;
  for (int a = begin; a < end; ++a) n *= sizes[a];
  return n;
}

// Transforms along axis a the part of a tile that begins at `to` and spans the axes from a on.
template <int work, class T>
void transform_axis(const Desc& d, const Layout& l, int a, const T* twiddles,
                    const Complex<T>* from, Complex<T>* to, const T* spectrum = nullptr) {
  const auto part = [&](i64 at, i64 columns) {
    transform<work, T>({l.fft[a], twiddles, {l.pitch[a], columns}}, from + at, to + at,
                       work & kMultiply ? spectrum + 2 * at : nullptr);
  };
  if (a == l.last) return part(0, 1);
  const i64 width = d.tile[l.last];
  const i64 column = d.tile[a] * static_cast<i64>(sizeof(Complex<T>));
  const i64 strip = least(width, most(1, kNearBytes / column));
  const i64 rows = box_volume(a + 1, l.last, d.tile);
  for (i64 row = 0; row < rows; ++row) {
    const i64 begin = box_offset(row, a + 1, l.last, d.tile, l.pitch);
    for (i64 c = 0; c < width; c += strip) part(begin + c, least(strip, width - c));
  }
}

}  // namespace multiconv::MC_TARGET
