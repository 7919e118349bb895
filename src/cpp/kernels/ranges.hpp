// Which magnitudes the blocks in the lanes hold.
//
// A transform's error follows the largest value of a lane, so it drowns outputs whose window holds
// nothing but much smaller ones. The tile is seen as boxes small enough for every window to contain
// one whole; the smallest of the boxes' maxima (zero apart) then tells what windows hold at least,
// unless there are gaps: boxes of zeros alone, beside which a window may hold a part of a box only,
// or dilated kernels, whose taps miss samples. Boxes in padding that is zero are no gaps as long as
// every window shares half of itself with the array.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "kernels/blocks.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {

template <class T>
struct Magnitudes {
  T largest;   // not finite where a value is not
  T smallest;  // of the boxes' maxima; NaN where all values are zero
  T least;     // of the values; NaN where all are zero
  i64 empty;   // boxes of zeros alone
};

// parts is 2 where real and imaginary part of a lane are two blocks, else 1.
template <class T, int parts>
class Ranges {
  // Magnitudes are compared as integers: the order is the same, and infinities and NaN come last.
  // Zero less one wraps around, and so is never the least.
  using Int = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  using Bits = Vec<Int>;
  static constexpr Int kMost = std::numeric_limits<Int>::max(), kMagnitude = kMost >> 1;
  static constexpr i64 unit = 16;  // lest ordinary noise near zero counts as range

 public:
  static i64 bytes(const Desc& d, const Layout& l) {
    return boxes(d, l) * parts * static_cast<i64>(sizeof(Bits));
  }

  Ranges(const Desc& d, const Layout& l, void* memory)
      : rank_(d.rank), boxes_(boxes(d, l)), box_(static_cast<Bits*>(memory)) {
    for (int a = 0; a < rank_; ++a) {
      points_[a] = d.tile[a];
      size_[a] = a == l.last ? box_width(d, l) : a == l.last - 1 ? (l.span[a] + 1) / 2 : 1;
      if (d.kernel[a] > 1 && d.dilation[a] > 1) dilated_ = true;
    }
    width_ = size_[l.last];
    height_ = l.last > 0 ? size_[l.last - 1] : 1;
    rows_ = l.last > 0 ? points_[l.last - 1] : 1;
    reset();
  }

  void reset() {
    for (int p = 0; p < parts; ++p) {
      largest_[p] = Bits{};
      smallest_[p] = least_[p] = Bits{} + kMost;
      empty_[p] = Bits{};
    }
    row_ = open_ = 0;
    for (i64 i = 0; i < boxes_ * parts; ++i) box_[i] = Bits{};
  }

  // Values of one part of a row, up to point `last`.
  template <int count>
  void add(const Vec<T> (&values)[count], int part, i64 last) {
    Bits top = {}, low = least_[part];
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i) {
      const Bits a = __builtin_bit_cast(Bits, values[i]) & kMagnitude;
      top = larger(top, a);
      low = smaller(low, a - 1);
    }
    Bits& box = box_[last / width_ * parts + part];
    box = larger(box, top);
    least_[part] = low;
  }

  void end_row() {
    ++open_;
    if (++row_ == rows_) row_ = 0;
    if (open_ == height_ || row_ == 0) close_boxes();
  }

  bool dilated() const { return dilated_; }

  // Boxes without a point of [begin, end).
  i64 empty_boxes(const i64* begin, const i64* end) const {
    i64 all = 1, filled = 1;
    for (int a = 0; a < rank_; ++a) {
      all *= (points_[a] + size_[a] - 1) / size_[a];
      filled *= (end[a] + size_[a] - 1) / size_[a] - begin[a] / size_[a];
    }
    return all - filled;
  }

  // To be asked after all rows.
  void read(Magnitudes<T> (&found)[kLanes<T>][parts]) {
    for (int p = 0; p < parts; ++p) {
      Int largest[kLanes<T>], smallest[kLanes<T>], least[kLanes<T>], empty[kLanes<T>];
      store(largest, largest_[p]);
      store(smallest, smallest_[p]);
      store(least, least_[p]);
      store(empty, empty_[p]);
      for (int l = 0; l < kLanes<T>; ++l)
        found[l][p] = {__builtin_bit_cast(T, largest[l]), nonzero(smallest[l]), nonzero(least[l]),
                       static_cast<i64>(empty[l])};
    }
  }

 private:
  static i64 box_width(const Desc& d, const Layout& l) {
    return least(d.tile[l.last], most(unit, (l.span[l.last] + 1) / 2 / unit * unit));
  }

  static i64 boxes(const Desc& d, const Layout& l) {
    const i64 width = box_width(d, l);
    return (d.tile[l.last] + width - 1) / width;
  }

  MC_INLINE Bits larger(Bits a, Bits b) { return a > b ? a : b; }
  MC_INLINE Bits smaller(Bits a, Bits b) { return a < b ? a : b; }

  // What is one below; NaN where nothing was.
  static T nonzero(Int below) {
    return below == kMost ? std::numeric_limits<T>::quiet_NaN()
                          : __builtin_bit_cast(T, static_cast<Int>(below + 1));
  }

  void close_boxes() {
    for (i64 i = 0; i < boxes_ * parts; ++i) {
      const int p = static_cast<int>(i % parts);
      largest_[p] = larger(largest_[p], box_[i]);
      smallest_[p] = smaller(smallest_[p], box_[i] - 1);
      empty_[p] += box_[i] == 0 ? Bits{} + 1 : Bits{};
      box_[i] = Bits{};
    }
    open_ = 0;
  }

  int rank_;
  i64 points_[kMaxRank], size_[kMaxRank];  // of the tile, and of a box
  i64 width_, height_, rows_, boxes_;      // of a box; rows in step; boxes of a row
  i64 row_, open_;                         // rows seen of those in step, and of the boxes begun
  bool dilated_ = false;
  Bits* box_;  // the maximum of each box begun
  Bits largest_[parts], smallest_[parts], least_[parts], empty_[parts];
};

}  // namespace multiconv::MC_TARGET
