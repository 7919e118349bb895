// Which magnitudes lines hold, one line per lane.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "kernels/blocks.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {

// Of `vectors` at x, x + pitch, ... Magnitudes are compared as integers: the order is the same, and
// infinities and NaN come last.
template <class T>
class LineRange {
  using Int = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  using Bits = Vec<Int>;
  static constexpr Int kAll = std::numeric_limits<Int>::max();

 public:
  static i64 bytes(i64 taps) { return taps * static_cast<i64>(sizeof(Bits)); }

  LineRange(const T* x, i64 pitch, i64 vectors) : x_(x), pitch_(pitch), vectors_(vectors) {
    Bits largest = {}, least = Bits{} + kAll;
    for (i64 i = 0; i < vectors; ++i) {
      const Bits a = at(i);
      largest = larger(largest, a);
      least = smaller(least, present(a));
    }
    put(largest, largest_);
    put(least, least_);
  }

  T largest(int lane) const { return largest_[lane]; }  // not finite where a value is not
  T least(int lane) const { return least_[lane]; }      // but zeros; NaN where all are zero

  // The least of the largest values under each window of so many taps, windows of zeros left out;
  // NaN where there is none. By the maxima of blocks as long as a window: one of their ends and one
  // of their beginnings make up every window (van Herk, 1992; Gil & Werman, 1993).
  void least_window(i64 taps, void* memory, T (&found)[kLanes<T>]) const {
    Bits* ends = static_cast<Bits*>(memory);
    Bits smallest = Bits{} + kAll;
    for (i64 begin = 0; begin + taps <= vectors_; begin += taps) {
      Bits end = {};
      for (i64 i = taps - 1; i >= 0; --i) ends[i] = end = larger(end, at(begin + i));
      smallest = smaller(smallest, present(ends[0]));
      Bits start = {};
      const i64 more = multiconv::MC_TARGET::least(taps - 1, vectors_ - begin - taps);
      for (i64 i = 0; i < more; ++i) {
        start = larger(start, at(begin + taps + i));
        smallest = smaller(smallest, present(larger(ends[i + 1], start)));
      }
    }
    put(smallest, found);
  }

 private:
  MC_INLINE Bits larger(Bits a, Bits b) { return a > b ? a : b; }
  MC_INLINE Bits smaller(Bits a, Bits b) { return a < b ? a : b; }
  MC_INLINE Bits present(Bits a) { return a > 0 ? a : Bits{} + kAll; }
  Bits at(i64 i) const { return __builtin_bit_cast(Bits, load(x_ + i * pitch_)) & kAll; }
  static void put(Bits from, T* to) { store(to, __builtin_bit_cast(Vec<T>, from)); }

  const T* x_;
  i64 pitch_, vectors_;
  T largest_[kLanes<T>], least_[kLanes<T>];
};

}  // namespace multiconv::MC_TARGET
