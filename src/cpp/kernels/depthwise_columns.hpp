// A block of outputs of one vector of channels, from pixels that lie beside each other: each pixel
// of the window is loaded once, for all taps that meet it.
#pragma once

#include "kernels/depthwise_sum.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kMostRows = 16;  // of a block's window

// Rows of a window. Columns before `begin` and from `end` on lie outside the input, and so do rows
// whose pixels are all one: their step is 0.
template <class T>
struct PixelRows {
  const T* row[kMostRows];
  i64 step[kMostRows];  // from pixel to pixel
  i64 begin, end;
  Vec<T> outside;
};

// R rows of V outputs, s rows and s pixels apart, of `size` squared taps that follow one another.
template <bool whole, int R, int V, int s, int size, class T>
MC_INLINE void sum_columns(const PixelRows<T>& rows, const T* w, Vec<T> bias, Vec<T> (*acc)[V]) {
  unrolled<R * V>([&](auto i) __attribute__((always_inline)) { acc[i / V][i % V] = bias; });
  unrolled<(R - 1) * s + size>([&](auto i) __attribute__((always_inline)) {
    constexpr int lo = first_seer(i, s, size), hi = end_of_seers(i, s, R);
    const T* x = rows.row[i];
    const i64 step = rows.step[i];
    Vec<T> tap[hi - lo][size];
    unrolled<(hi - lo) * size>([&](auto n) __attribute__((always_inline)) {
      tap[n / size][n % size] = load(w + ((i - (lo + n / size) * s) * size + n % size) * kLanes<T>);
    });
    unrolled<(V - 1) * s + size>([&](auto c) __attribute__((always_inline)) {
      const bool inside = whole || (rows.begin <= c && c < rows.end);
      Vec<T> value = inside ? load(x + c * step) : rows.outside;
      keep<T>(value);
      unrolled<(hi - lo) * size>([&](auto n) __attribute__((always_inline)) {
        constexpr int r = lo + n / size, k = n % size;
        if constexpr (c >= k && (c - k) % s == 0 && (c - k) / s < V)
          acc[r][(c - k) / s] += value * tap[n / size][k];
      });
    });
  });
}

}  // namespace
}  // namespace multiconv::MC_TARGET
