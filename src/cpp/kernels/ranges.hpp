// Which magnitudes the blocks in the lanes hold.
//
// A transform's error follows the largest value of a lane, so it drowns outputs whose window holds
// nothing but much smaller ones. The tile is seen as boxes small enough for every window to contain
// one whole; the smallest of the boxes' maxima (zero apart) then tells what windows hold at least,
// unless there are gaps: boxes of zeros alone, beside which a window may hold a part of a box only,
// or dilated kernels, whose taps miss samples.
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
  bool gaps;
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
        dilated_(is_dilated(d)),
        box_(static_cast<Bits*>(memory)) {
    reset();
  }

  void reset() {
    for (int p = 0; p < parts; ++p) {
      largest_[p] = Bits{};
      smallest_[p] = least_[p] = Bits{} + kAll;
      empty_[p] = Bits{};
    }
    rows_ = 0;
    for (i64 i = 0; i < boxes_ * parts; ++i) box_[i] = Bits{};
  }

  void add_row(const Complex<T>* row) {
    for (i64 b = 0; b < boxes_; ++b) {
      const Complex<T>* p = row + least(b * width_, points_ - width_);
      Bits re = box_[b * parts], im = box_[b * parts + parts - 1];
      for (i64 i = 0; i < width_; ++i) {
        const Bits a = magnitude(p[i].re), b = magnitude(p[i].im);
        re = larger(re, a);
        im = larger(im, b);
        least_[0] = smaller(least_[0], present(a));
        least_[parts - 1] = smaller(least_[parts - 1], present(b));
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
      Int largest[kLanes<T>], smallest[kLanes<T>], least[kLanes<T>], empty[kLanes<T>];
      store(largest, largest_[p]);
      store(smallest, smallest_[p]);
      store(least, least_[p]);
      store(empty, empty_[p]);
      for (int l = 0; l < kLanes<T>; ++l)
        found[l][p] = {__builtin_bit_cast(T, largest[l]), __builtin_bit_cast(T, smallest[l]),
                       __builtin_bit_cast(T, least[l]), dilated_ || empty[l] != 0};
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
  MC_INLINE Bits smaller(Bits a, Bits b) { return a < b ? a : b; }
  MC_INLINE Bits present(Bits a) { return a > 0 ? a : Bits{} + kAll; }

  static bool is_dilated(const Desc& d) {
    for (int a = 0; a < d.rank; ++a)
      if (d.kernel[a] > 1 && d.dilation[a] > 1) return true;
    return false;
  }

  void close_boxes() {
    for (i64 i = 0; i < boxes_ * parts; ++i) {
      const Bits box = box_[i];
      Bits& smallest = smallest_[i % parts];
      largest_[i % parts] = larger(largest_[i % parts], box);
      smallest = smaller(smallest, present(box));
      empty_[i % parts] |= box == 0;
      box_[i] = Bits{};
    }
    rows_ = 0;
  }

  i64 points_, width_, boxes_, height_, rows_;
  bool dilated_;
  Bits* box_;  // the maximum of each box begun
  Bits largest_[parts], smallest_[parts], least_[parts], empty_[parts];
};

}  // namespace multiconv::MC_TARGET
