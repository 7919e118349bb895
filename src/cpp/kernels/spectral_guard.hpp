// Which tiles a transform would spoil: what is not finite, or of so wide a range that small values
// would drown in the error of large ones.
//
// A tile is seen as boxes small enough for every window to contain one whole, so that the smallest
// of the boxes' maxima tells what windows hold at least. Zeros tell nothing: where whole boxes are
// zero that are not padding, or windows hold little but padding, each window has to be looked at.
#pragma once

#include <limits>
#include <type_traits>

#include "kernels/spectral_plan.hpp"

namespace multiconv::MC_TARGET {
namespace {

enum class Verdict : char { transform, look, sum };

// The part of a tile that counts: points [0, need) hold outputs' windows, [begin, end) data.
struct TilePart {
  i64 image;
  i64 first[kMaxRank];  // outputs
  i64 count[kMaxRank];
  i64 start[kMaxRank];  // position of the first point in the dilated input
  i64 need[kMaxRank], begin[kMaxRank], end[kMaxRank];
};

MC_INLINE TilePart locate_tile(const Desc& d, const SpectralPlan& p, i64 index) {
  TilePart t;
  t.image = index / p.positions;
  for (int a = p.last; a >= 0; --a) {
    t.first[a] = index % p.tiles[a] * p.step[a];
    index /= p.tiles[a];
    t.count[a] = min_of(p.step[a], d.out_size[a] - t.first[a]);
    t.start[a] = t.first[a] * d.stride[a] - d.pad_low[a];
    t.need[a] = (t.count[a] - 1) * d.stride[a] + p.span[a];
    const bool zeros = d.boundary[a] == Boundary::constant && d.cval[0] == 0;
    const i64 size = (d.in_size[a] - 1) * d.in_dilation[a] + 1;
    t.begin[a] = zeros ? min_of(max_of(-t.start[a], 0), t.need[a]) : 0;
    t.end[a] = zeros ? max_of(min_of(t.need[a], size - t.start[a]), t.begin[a]) : t.need[a];
  }
  return t;
}

template <class T>
class Guard {
  // Magnitudes are compared as integers: the order is the same, infinities and NaN come last.
  using Int = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  using Bits = Vec<Int>;
  static constexpr Int kMagnitude = std::numeric_limits<Int>::max();
  static constexpr int lanes = kLanes<T>;

 public:
  // Tiles with nothing above it could vanish in products.
  static constexpr T tiny = sizeof(T) == 4 ? T(0x1p-60) : T(0x1p-500);
  // Windows with nothing above this share of the largest value would drown in its error.
  static constexpr T least_share = std::numeric_limits<T>::epsilon() * T(1024);

  Guard(const Desc& d, const SpectralPlan& p) : d_(d), p_(p) {
    boxes_ = 1;
    for (int a = p.last; a >= 0; --a) {
      size_[a] = (p.span[a] + 1) / 2;
      along_[a] = ceil_div(p.size[a], size_[a]);
      boxes_ *= along_[a];
      gaps_ = gaps_ || d.in_dilation[a] > 1 || (d.kernel[a] > 1 && d.dilation[a] > 1);
    }
  }

  i64 boxes() const { return boxes_; }
  i64 bytes() const { return boxes_ * lanes * static_cast<i64>(sizeof(T)); }

  // Maxima are [box][lane]; a row's points come at its indices along the axes before the last.
  void add(const i64* index, const T* line, T* maxima) const {
    i64 box = 0;
    for (int a = 0; a < p_.last; ++a) box = box * along_[a] + index[a] / size_[a];
    T* at = maxima + box * along_[p_.last] * lanes;
    const i64 n = p_.size[p_.last], width = size_[p_.last];
    for (i64 begin = 0; begin < n; begin += width, at += lanes) {
      Bits most = __builtin_bit_cast(Bits, load(at)) & kMagnitude, other = most;
      const i64 end = min_of(begin + width, n);
      i64 i = begin;
      for (; i + 2 <= end; i += 2) {
        most = larger(most, __builtin_bit_cast(Bits, load(line + i * lanes)) & kMagnitude);
        other = larger(other, __builtin_bit_cast(Bits, load(line + (i + 1) * lanes)) & kMagnitude);
      }
      if (i < end)
        most = larger(most, __builtin_bit_cast(Bits, load(line + i * lanes)) & kMagnitude);
      store(at, __builtin_bit_cast(Vec<T>, larger(most, other)));
    }
  }

  // `maxima` of the boxes, `step` apart; largest is their largest.
  Verdict judge(const TilePart& tile, const T* maxima, i64 step, double limit, T* largest) const {
    T most = 0, least = std::numeric_limits<T>::infinity();
    i64 empty = 0;
    for (i64 b = 0; b < boxes_; ++b) {
      const T m = maxima[b * step];
      if (!(m <= limit)) return Verdict::sum;  // NaN too
      if (m == 0) ++empty;
      if (m > most) most = m;
      if (m > 0 && m < least) least = m;
    }
    *largest = most;
    if (most == 0) return Verdict::transform;
    if (most < tiny || least < least_share * most) return Verdict::sum;
    return gaps(tile, empty) ? Verdict::look : Verdict::transform;
  }

  static T larger_magnitude(T a, T b) {
    const Int x = __builtin_bit_cast(Int, a) & kMagnitude,
              y = __builtin_bit_cast(Int, b) & kMagnitude;
    return __builtin_bit_cast(T, x > y ? x : y);
  }

 private:
  MC_INLINE Bits larger(Bits a, Bits b) { return a > b ? a : b; }

  bool gaps(const TilePart& t, i64 empty) const {
    if (gaps_) return true;
    if (empty == 0) return false;
    i64 filled = 1;
    for (int a = 0; a < d_.rank; ++a) {
      const i64 last = (t.count[a] - 1) * d_.stride[a];  // where the last window begins
      const i64 shared = min_of(min_of(p_.span[a], p_.span[a] - t.begin[a]), t.end[a] - last);
      if (shared < (p_.span[a] + 1) / 2) return true;
      filled *= ceil_div(t.end[a], size_[a]) - t.begin[a] / size_[a];
    }
    return empty != boxes_ - filled;
  }

  const Desc& d_;
  const SpectralPlan& p_;
  i64 size_[kMaxRank], along_[kMaxRank], boxes_;
  bool gaps_ = false;
};

// The points of a tile in the input; what no window needs is a hole.
MC_INLINE void make_tile_tables(const Desc& points, const Box& box, const TilePart& tile,
                                void* memory, Tables& t) {
  i64 first[kMaxRank];
  for (int a = 0; a < points.rank; ++a) first[a] = tile.start[a] + points.pad_low[a];
  make_tables(points, box, first, memory, t);
  const int last = points.rank - 1;
  for (int a = 0; a < last; ++a)
    for (i64 i = tile.need[a]; i < box.extent[a]; ++i) t.source[a][i] = kHole;
  const i64 need = tile.need[last];
  if (need == box.extent[last]) return;
  i64 kept = 0;
  while (t.runs[kept].start + t.runs[kept].count < need) ++kept;
  t.runs[kept].count = need - t.runs[kept].start;
  t.runs[kept + 1] = {need, box.extent[last] - need, kHole, 0};
  t.run_count = kept + 2;
}

}  // namespace
}  // namespace multiconv::MC_TARGET
