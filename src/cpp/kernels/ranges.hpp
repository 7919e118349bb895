// Which magnitudes the blocks in the lanes hold.
//
// A transform's error follows the largest value of a lane, so it drowns outputs whose window holds
// nothing but much smaller ones. The tile is seen as boxes small enough for every window to contain
// one whole; the smallest of the boxes' maxima (zero apart) then tells what windows hold at least.
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
  T smallest;  // NaN where all values are zero
};

// parts is 2 where real and imaginary part of a lane are two blocks, else 1.
template <class T, int parts>
class Ranges {
  // Magnitudes are compared as integers: the order is the same, and infinities and NaN come last.
  using Int = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  using Bits = Vec<Int>;
  static constexpr Int kAll = std::numeric_limits<Int>::max();

 public:
  static i64 bytes(const Desc& d, const Layout& l) {
    return boxes(d, l) * parts * static_cast<i64>(sizeof(Bits));
  }

  Ranges(const Desc& d, const Layout& l, void* memory)
      : points_(d.tile[l.last]),
        width_(box_width(d, l)),
        boxes_(boxes(d, l)),
        height_(l.last > 0 ? (l.span[l.last - 1] + 1) / 2 : 1),
        box_(static_cast<Bits*>(memory)) {
    reset();
  }

  void reset() {
    for (int p = 0; p < parts; ++p) {
      largest_[p] = Bits{};
      smallest_[p] = Bits{} + kAll;
    }
    rows_ = 0;
    for (i64 i = 0; i < boxes_ * parts; ++i) box_[i] = Bits{};
  }

  void add_row(const Complex<T>* row) {
    for (i64 b = 0; b < boxes_; ++b) {
      const Complex<T>* p = row + least(b * width_, points_ - width_);
      Bits re = box_[b * parts], im = box_[b * parts + parts - 1];
      for (i64 i = 0; i < width_; ++i) {
        re = larger(re, magnitude(p[i].re));
        im = larger(im, magnitude(p[i].im));
      }
      box_[b * parts] = parts == 1 ? larger(re, im) : re;
      if (parts == 2) box_[b * parts + 1] = im;
    }
    if (++rows_ == height_) close_boxes();
  }

  // To be asked after all rows.
  void read(Magnitudes<T> (&found)[kLanes<T>][parts]) {
    if (rows_ > 0) close_boxes();
    for (int p = 0; p < parts; ++p) {
      Int largest[kLanes<T>], smallest[kLanes<T>];
      store(largest, largest_[p]);
      store(smallest, smallest_[p]);
      for (int l = 0; l < kLanes<T>; ++l)
        found[l][p] = {__builtin_bit_cast(T, largest[l]), __builtin_bit_cast(T, smallest[l])};
    }
  }

 private:
  // At least a cache line long, lest ordinary noise near zero counts as range.
  static i64 box_width(const Desc& d, const Layout& l) {
    return least(d.tile[l.last], most(16, (l.span[l.last] + 1) / 2));
  }

  static i64 boxes(const Desc& d, const Layout& l) {
    const i64 width = box_width(d, l);
    return (d.tile[l.last] + width - 1) / width;
  }

  MC_INLINE Bits magnitude(Vec<T> v) { return __builtin_bit_cast(Bits, v) & kAll; }
  MC_INLINE Bits larger(Bits a, Bits b) { return a > b ? a : b; }

  void close_boxes() {
    for (i64 i = 0; i < boxes_ * parts; ++i) {
      const Bits box = box_[i];
      Bits& smallest = smallest_[i % parts];
      largest_[i % parts] = larger(largest_[i % parts], box);
      const Bits seen = box > 0 ? box : Bits{} + kAll;
      smallest = seen < smallest ? seen : smallest;
      box_[i] = Bits{};
    }
    rows_ = 0;
  }

  i64 points_, width_, boxes_, height_, rows_;
  Bits* box_;  // the maximum of each box begun
  Bits largest_[parts], smallest_[parts];
};

}  // namespace multiconv::MC_TARGET
