// Blocks of outputs that stay in registers while rows of one channel, or of one channel a lane,
// stream by. An input row serves all output rows whose windows hold it.
#pragma once

#include <type_traits>
#include <utility>

#include "kernels/stored.hpp"
#include "simd/hints.hpp"
#include "simd/partial.hpp"

namespace multiconv::MC_TARGET {
namespace {

// Calls f(i) for i from 0 to n - 1, each a constant: arrays that only these index are registers.
template <int n, class F>
MC_INLINE void unrolled(F&& f) {
  [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, i>{}), ...);
  }(std::make_integer_sequence<int, n>{});
}

// The window of the first output row of a block, as it lies in staged rows.
template <class T>
struct Window {
  const T* const* rows;  // [outer tap][position]
  i64 outer, positions;
  i64 row_step;       // positions between neighbouring tap rows
  i64 height, width;  // taps of a plane
  const i64* offset;  // [width]: from an output's place in a row to what the tap reads
  const T* w;         // [outer tap][height][width], a number or a vector each
};

template <bool by_lane, class T>
MC_INLINE auto tap_of(const T* w, i64 k) {
  if constexpr (by_lane)
    return load(w + k * kLanes<T>);
  else
    return w[k];
}

// Adds the input row that is tap row i of output row 0: output rows lo to hi see it, each as a tap
// row `s` less than the row before does.
template <bool by_lane, int V, int lo, int hi, int s, class T>
MC_INLINE void add_tap(const T* x, const i64* at, const T* w, i64 i, i64 k, i64 width,
                       Vec<T> (*acc)[V]) {
  keep(x);
  Vec<T> value[V];
  unrolled<V>([&](auto v) __attribute__((always_inline)) {
    value[v] = load(x + at[v]);
    if constexpr (hi - lo > 1) keep<T>(value[v]);
  });
  unrolled<hi - lo>([&](auto n) __attribute__((always_inline)) {
    constexpr int r = lo + n;
    const auto tap = tap_of<by_lane>(w, (i - r * s) * width + k);
    unrolled<V>([&](auto v) __attribute__((always_inline)) { acc[r][v] += value[v] * tap; });
  });
}

constexpr int first_seer(int i, int s, int height) { return i < height ? 0 : (i - height) / s + 1; }
constexpr int end_of_seers(int i, int s, int rows) { return i / s + 1 < rows ? i / s + 1 : rows; }

// The sums of one plane of taps, where height and width are known.
template <bool by_lane, int R, int V, int s, int height, int width, class T>
MC_INLINE void add_known(const Window<T>& win, const T* const* rows, const T* w, const i64* at,
                         Vec<T> (*acc)[V]) {
  unrolled<(R - 1) * s + height>([&](auto i) __attribute__((always_inline)) {
    const T* x = rows[i * win.row_step];
    unrolled<width>([&](auto k) __attribute__((always_inline)) {
      add_tap<by_lane, V, first_seer(i, s, height), end_of_seers(i, s, R), s>(x + win.offset[k], at,
                                                                              w, i, k, width, acc);
    });
  });
}

// The same for any height and width.
template <bool by_lane, int R, int V, int s, class T>
MC_INLINE void add_any(const Window<T>& win, const T* const* rows, const T* w, const i64* at,
                       Vec<T> (*acc)[V]) {
  const int height = static_cast<int>(win.height);
  for (int i = 0; i < (R - 1) * s + height; ++i) {
    const T* x = rows[i * win.row_step];
    const int code = first_seer(i, s, height) * (R + 1) + end_of_seers(i, s, R);
    const auto add_row = [&]<int lo, int hi>() __attribute__((always_inline)) {
      if constexpr (lo < hi)
        for (i64 k = 0; k < win.width; ++k)
          add_tap<by_lane, V, lo, hi, s>(x + win.offset[k], at, w, i, k, win.width, acc);
    };
    [&]<int... n>(std::integer_sequence<int, n...>) __attribute__((always_inline)) {
      (void)((code == n && (add_row.template operator()<n / (R + 1), n % (R + 1)>(), true)) || ...);
    }(std::make_integer_sequence<int, R*(R + 1)>{});
  }
}

// R output rows of V vectors; at[v] is the place of vector v in a staged row. `known` is the size
// of a square of taps, or 0.
template <bool by_lane, int R, int V, int s, int known, class T>
MC_INLINE void sum_block(const Window<T>& win, const i64* at, Vec<T> bias, Vec<T> (*acc)[V]) {
  unrolled<R * V>([&](auto i) __attribute__((always_inline)) { acc[i / V][i % V] = bias; });
  const i64 plane = win.height * win.width * (by_lane ? kLanes<T> : 1);
  for (i64 o = 0; o < win.outer; ++o) {
    const T* const* rows = win.rows + o * win.positions;
    const T* w = win.w + o * plane;
    if constexpr (known > 0)
      add_known<by_lane, R, V, s, known, known>(win, rows, w, at, acc);
    else
      add_any<by_lane, R, V, s>(win, rows, w, at, acc);
  }
}

}  // namespace
}  // namespace multiconv::MC_TARGET
