// Sums over the windows of a line, for windows of any size at a constant number of additions.
//
// A window is a number of whole vectors and a rest. Sums over the windows of one vector's length
// come by doubling: two neighbouring windows of n samples make one of 2 n; those of the rest's
// length come from the same by its binary digits. The windows a whole vector apart then add up lane
// by lane, in blocks of as many as a window holds: what a window has of one block is a sum to the
// block's end, and what it has of the next a sum from that one's beginning.
// Nothing is subtracted, so errors are no larger than those of direct summation, do not grow along
// the line, and NaN and infinities stay in their windows.
//
// Blocks after van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and
// octagonal kernels" (1992), and Gil & Werman, "Computing 2-D min, median, and max filters" (1993).
#pragma once

#include <utility>

#include "base/boundary.hpp"
#include "base/desc.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

// Elements n, n + 1, ... of the two vectors side by side.
template <int n, class V, int... lane>
MC_INLINE V shifted(V low, V high, std::integer_sequence<int, lane...>) {
  return __builtin_shufflevector(low, high, (lane + n)...);
}

// Samples are `unit` elements, 2 for complex numbers.
template <class T, int unit>
class WindowSum {
  static constexpr int lanes = kLanes<T>;
  static constexpr i64 block = lanes > unit ? lanes : unit;

 public:
  // Elements that may be read behind a line, and written behind the buffers' use of it.
  static constexpr i64 slack = 8 * block;

  explicit WindowSum(i64 kernel) {
    const i64 length = kernel * unit;
    blocks_ = length < 2 * block ? 0 : length / block;
    rest_ = length - blocks_ * block;
  }

  // dst[i] for i < count elements; the last vector is written whole. The buffers have the line's
  // size.
  void run(const T* line, i64 count, T* whole, T* rests, T* dst) const {
    const i64 rows = (count + block - 1) / block;
    if (blocks_ == 0) return double_up<false>(line, rows, nullptr, dst);
    double_up<true>(line, rows + blocks_, whole, rests);
    const T* rest = rest_ > 0 ? rests + blocks_ * block : nullptr;
    switch (blocks_) {
      case 2:
        return add_up<2>(whole, rest, count, dst);
      case 3:
        return add_up<3>(whole, rest, count, dst);
      default:
        return add_blocks(whole, rest, rows, dst);
    }
  }

 private:
  struct Stage {
    Vec<T> power, rest;  // the last sums over `step` samples, and over the rest's lower digits
  };

  // The sum of elements of two vectors side by side with their neighbours `step` on.
  template <int step>
  MC_INLINE Vec<T> paired(Vec<T> sum, Vec<T> low, Vec<T> high) {
    if constexpr (step == lanes)
      return sum + high;
    else
      return sum + shifted<step>(low, high, std::make_integer_sequence<int, lanes>{});
  }

  // Takes the next sums over `step` samples, and those over the rest's digits below `step`.
  template <bool blocks, int step>
  MC_INLINE void push(i64 digits, Stage* stage, Vec<T> power, Vec<T> rest, i64 at, T* whole,
                      T* rests) {
    if constexpr (step < (blocks ? lanes : 2 * lanes)) {
      if (blocks || step <= digits) {
        const Stage last = *stage;
        *stage = {power, rest};
        rest = digits & step ? paired<step>(last.power, last.rest, rest) : last.rest;
        power = paired<step>(last.power, last.power, power);
        return push<blocks, 2 * step>(digits, stage + 1, power, rest, at - lanes, whole, rests);
      }
    }
    if (at < 0) return;
    if (blocks) store(whole + at, power);
    store(rests + at, rest);
  }

  static constexpr int stages(int step) { return step > lanes ? 0 : 1 + stages(2 * step); }

  // The sums over a block's length that begin at each element of so many rows, where there are
  // blocks, and those over the rest's.
  template <bool blocks>
  void double_up(const T* line, i64 rows, T* whole, T* rests) const {
    Stage stage[stages(unit) + 1] = {};
    const i64 digits = rest_;
    i64 delay = 0;
    for (i64 step = unit; blocks ? step < lanes : step <= digits; step *= 2) ++delay;
    const i64 end = rows * block + delay * lanes;
    for (i64 at = 0; at < end; at += lanes)
      push<blocks, unit>(digits, stage, load(line + at), Vec<T>{}, at, whole, rests);
  }

  // The sums over so many blocks one after the other, and over the rest where there is one.
  template <int blocks>
  static void add_up(const T* whole, const T* rest, i64 count, T* dst) {
    for (i64 at = 0; at < count; at += lanes) {
      Vec<T> sum = load(whole + at);
      for (int b = 1; b < blocks; ++b) sum += load(whole + at + b * block);
      if (rest != nullptr) sum += load(rest + at);
      store(dst + at, sum);
    }
  }

  // Row r of the result is the sum of rows r to r + blocks - 1 of `whole`, which is overwritten.
  void add_blocks(T* whole, const T* rest, i64 rows, T* dst) const {
    for (i64 first = 0; first < rows; first += blocks_)
      for (i64 at = first * block; at < (first + 1) * block; at += lanes) {
        Vec<T> sum = {};
        for (i64 r = blocks_ - 1; r >= 0; --r) {
          sum += load(whole + at + r * block);
          store(whole + at + r * block, sum);
        }
        sum = Vec<T>{};
        const i64 end = at + (blocks_ < rows - first ? blocks_ : rows - first) * block;
        const T* next = whole + (blocks_ - 1) * block;
        for (i64 to = at; to < end; to += block) {
          if (to > at) sum += load(next + to);
          Vec<T> all = load(whole + to) + sum;
          if (rest != nullptr) all += load(rest + to);
          store(dst + to, all);
        }
      }
  }

  i64 blocks_, rest_;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
