// Sums over the windows of a line, for windows of any size.
//
// A short window is made of partial sums: of `part` neighbours, then of partial sums side by side.
// A long one takes the windows of one vector's length first. Those a whole vector apart then add up
// lane by lane, in blocks of as many as a window holds: what a window has of one block is a sum to
// the block's end, and what it has of the next a sum from that one's beginning.
// Nothing is subtracted, so errors are no larger than those of direct summation, do not grow along
// the line, and NaN and infinities stay in their windows.
//
// After van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and
// octagonal kernels" (1992), and Gil & Werman, "Computing 2-D min, median, and max filters" (1993).
#pragma once

#include "base/boundary.hpp"
#include "base/desc.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

// n values, `step` elements apart, that each output adds; the first lies at p for output 0.
template <class T>
struct Terms {
  const T* p;
  i64 step, n;
};

template <int V, class T, int N>
MC_INLINE void add_terms(const Terms<T> (&terms)[N], i64 at, T* dst) {
  Vec<T> sum[V];
  for (int v = 0; v < V; ++v) sum[v] = load(terms[0].p + at + v * kLanes<T>);
  for (int t = 0; t < N; ++t)
    for (i64 i = t == 0 ? 1 : 0; i < terms[t].n; ++i) {
      const T* p = terms[t].p + at + i * terms[t].step;
      for (int v = 0; v < V; ++v) sum[v] += load(p + v * kLanes<T>);
    }
  for (int v = 0; v < V; ++v) store(dst + at + v * kLanes<T>, sum[v]);
}

// `count` outputs, the last vector whole. The first terms are at least one.
template <class T, int N>
MC_INLINE void add_all(const Terms<T> (&terms)[N], T* dst, i64 count) {
  constexpr i64 lanes = kLanes<T>;
  i64 at = 0;
  for (; at + 4 * lanes <= count; at += 4 * lanes) add_terms<4>(terms, at, dst);
  for (; at < count; at += lanes) add_terms<1>(terms, at, dst);
}

// A window of `part * parts + rest` samples.
struct Split {
  i64 part, parts, rest;
};

// The one that adds least; a second pass costs two more.
MC_INLINE Split best_split(i64 kernel) {
  Split best = {kernel, 1, 0};
  i64 least = kernel;
  for (i64 part = 2; part < least; ++part) {
    const i64 cost = part + kernel / part + kernel % part + 2;
    if (cost >= least) continue;
    least = cost;
    best = {part, kernel / part, kernel % part};
  }
  return best;
}

// Samples are `unit` elements, 2 for complex numbers.
template <class T, int unit>
class WindowSum {
  static constexpr i64 block = kLanes<T> > unit ? kLanes<T> : unit;  // elements
  static constexpr i64 lanes = kLanes<T>;
  static constexpr i64 kLong = 6 * block / unit;  // samples of a window that is made of blocks

 public:
  // Elements that may be read behind a line, and kept behind the buffers.
  static constexpr i64 slack = 4 * block;

  explicit WindowSum(i64 kernel)
      : blocks_(kernel < kLong ? 0 : kernel * unit / block),
        rest_(kernel - blocks_ * (block / unit)),
        near_(best_split(blocks_ == 0 ? kernel : block / unit)),
        far_(best_split(rest_)) {}

  // dst[i] for i < count elements; the last vector is written whole. The buffers hold what the line
  // holds.
  void run(const T* line, i64 count, T* part, T* whole, T* dst) const {
    if (blocks_ == 0) return near(near_, line, count, part, dst);
    const i64 rows = (count + block - 1) / block;
    near(near_, line, (rows + blocks_ - 1) * block, part, whole);
    add_blocks(whole, rows);
    if (rest_ == 0) {
      add_all<T>({{whole, 0, 1}}, dst, count);
      return;
    }
    const T* end = line + blocks_ * block;
    add_all<T>({{end, unit, far_.part}}, part, reach(far_, count));
    add_all<T>({{whole, 0, 1}, {part, far_.part * unit, far_.parts}, remainder(far_, end)}, dst,
               count);
  }

 private:
  // Partial sums that `count` outputs read.
  static i64 reach(const Split& s, i64 count) {
    return (count + lanes - 1) / lanes * lanes + (s.parts - 1) * s.part * unit;
  }

  static Terms<T> remainder(const Split& s, const T* line) {
    return {line + s.part * s.parts * unit, unit, s.rest};
  }

  static void near(const Split& s, const T* line, i64 count, T* part, T* dst) {
    if (s.parts == 1) {
      add_all<T>({{line, unit, s.part}}, dst, count);
      return;
    }
    add_all<T>({{line, unit, s.part}}, part, reach(s, count));
    add_all<T>({{part, s.part * unit, s.parts}, remainder(s, line)}, dst, count);
  }

  // Row r becomes the sum of rows r to r + blocks - 1, in place.
  void add_blocks(T* rows, i64 count) const {
    for (i64 first = 0; first < count; first += blocks_) {
      T* top = rows + first * block;
      for (i64 lane = 0; lane < block; lane += lanes) {
        Vec<T> sum = load(top + (blocks_ - 1) * block + lane);
        for (i64 r = blocks_ - 2; r >= 0; --r) {
          sum += load(top + r * block + lane);
          store(top + r * block + lane, sum);
        }
        const T* next = top + (blocks_ - 1) * block + lane;
        const i64 end = blocks_ < count - first ? blocks_ : count - first;
        sum = Vec<T>{};
        for (i64 r = 1; r < end; ++r) {
          sum += load(next + r * block);
          store(top + r * block + lane, load(top + r * block + lane) + sum);
        }
      }
    }
  }

  i64 blocks_, rest_;
  Split near_, far_;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
