// Moves rows of numbers into the lanes of vectors and back: row l becomes lane l.
#pragma once

#include <utility>

#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {

// Element e of a picked vector comes from place at(e) of the pair (a, b).
template <auto at, class V, int... e>
MC_INLINE V pick(V a, V b, std::integer_sequence<int, e...>) {
  return __builtin_shufflevector(a, b, at(e)...);
}

// Turns the square of `lanes` rows in place: inside the 16-byte parts first, where instructions are
// cheapest, then by exchanging whole parts.
template <class T, int lanes = kLanes<T>>
MC_INLINE void transpose(Vec<T> (&v)[lanes]) {
  if constexpr (lanes > 1) {
    constexpr int part = 16 / static_cast<int>(sizeof(T));
    constexpr std::make_integer_sequence<int, lanes> all{};
#pragma GCC unroll 4
    for (int i = 0; i < lanes; i += part) {
      if constexpr (part == 2) {
        const Vec<T> a = v[i], b = v[i + 1];
        v[i] = pick<[](int e) { return e % 2 ? lanes + e - 1 : e; }>(a, b, all);
        v[i + 1] = pick<[](int e) { return e % 2 ? lanes + e : e + 1; }>(a, b, all);
      } else {
        constexpr auto low = [](int e) { return e / 4 * 4 + e % 4 / 2 + e % 2 * lanes; };
        constexpr auto high = [](int e) { return e / 4 * 4 + 2 + e % 4 / 2 + e % 2 * lanes; };
        constexpr auto low_pair = [](int e) { return e % 4 < 2 ? e : lanes + e - 2; };
        constexpr auto high_pair = [](int e) { return e % 4 < 2 ? e + 2 : lanes + e; };
        const Vec<T> a = pick<low>(v[i], v[i + 1], all), b = pick<high>(v[i], v[i + 1], all);
        const Vec<T> c = pick<low>(v[i + 2], v[i + 3], all);
        const Vec<T> d = pick<high>(v[i + 2], v[i + 3], all);
        v[i] = pick<low_pair>(a, c, all);
        v[i + 1] = pick<high_pair>(a, c, all);
        v[i + 2] = pick<low_pair>(b, d, all);
        v[i + 3] = pick<high_pair>(b, d, all);
      }
    }
    const auto exchange = [&]<int size>() {
#pragma GCC unroll 16
      for (int i = 0; i < lanes; ++i) {
        if (i & size) continue;
        const Vec<T> a = v[i], b = v[i + size];
        v[i] = pick<[](int e) { return e & size ? lanes + e - size : e; }>(a, b, all);
        v[i + size] = pick<[](int e) { return e & size ? lanes + e : e + size; }>(a, b, all);
      }
    };
    if constexpr (part < lanes) exchange.template operator()<part>();
    if constexpr (2 * part < lanes) exchange.template operator()<2 * part>();
  }
}

// The steps of `lanes` that cover [0, width); the last one overlaps its neighbour. False where the
// width is less than one step.
template <int lanes, class F>
MC_INLINE bool each_square(i64 width, F&& f) {
  if (width < lanes) return false;
  for (i64 k = 0; k < width; k += lanes) f(k + lanes <= width ? k : width - lanes);
  return true;
}

// Vector k of to[k * step] = element k of every row; rows[l * row_step] begins row l. All are shown
// to `see(v, end)` once, those before element `end` together with zeros.
template <class T, class F>
MC_INLINE void rows_to_lanes(const T* const* rows, int row_step, i64 width, T* to, i64 step,
                             F&& see) {
  constexpr int lanes = kLanes<T>;
  const bool done = each_square<lanes>(width, [&](i64 k) {
    Vec<T> v[lanes];
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) v[l] = load(rows[l * row_step] + k);
    transpose<T>(v);
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) store(to + (k + l) * step, v[l]);
    if (k % lanes != 0)  // the others were seen
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l)
        if (k + l < width / lanes * lanes) v[l] = Vec<T>{};
    see(v, k + lanes);
  });
  if (done) return;
  Vec<T> v[lanes] = {};
  for (i64 k = 0; k < width; ++k) {
    for (int l = 0; l < lanes; ++l) to[k * step + l] = rows[l * row_step][k];
    v[k] = load(to + k * step);
  }
  see(v, width);
}

template <class T>
MC_INLINE void rows_to_lanes(const T* const* rows, int row_step, i64 width, T* to, i64 step) {
  rows_to_lanes(rows, row_step, width, to, step, [](const Vec<T>*, i64) {});
}

// The way back.
template <class T>
MC_INLINE void lanes_to_rows(const T* from, i64 step, i64 width, T* const* rows, int row_step) {
  constexpr int lanes = kLanes<T>;
  const bool done = each_square<lanes>(width, [&](i64 k) {
    Vec<T> v[lanes];
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) v[l] = load(from + (k + l) * step);
    transpose<T>(v);
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) store(rows[l * row_step] + k, v[l]);
  });
  if (done) return;
  for (int l = 0; l < lanes; ++l)
    for (i64 k = 0; k < width; ++k) rows[l * row_step][k] = from[k * step + l];
}

}  // namespace multiconv::MC_TARGET
