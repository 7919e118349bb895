// The small matrix products between the transforms: tiles times outputs, summed over inputs.
#pragma once

#include "kernels/winograd_plan.hpp"

namespace multiconv::MC_TARGET {
namespace {

// A block of sums stays in registers. Row r of tap k begins at v + k * tap + r * row.
template <class T, int rows, int vectors, bool fetch>
void multiply_rows(const T* v, i64 row, i64 tap, i64 taps, i64 inputs, const T* u, T* to,
                   i64 to_row, i64 ahead) {
  Vec<T> sum[rows][vectors] = {};
  for (i64 k = 0; k < taps; ++k, v += tap) {
    const T* at[(rows + 2) / 3];
    for (int i = 0; i < (rows + 2) / 3; ++i) at[i] = v + 3 * i * row;
    for (i64 c = 0; c < inputs; ++c, u += vectors * kLanes<T>) {
      Vec<T> w[vectors];
      for (int j = 0; j < vectors; ++j) w[j] = load(u + j * kLanes<T>);
      if constexpr (fetch)
        for (int j = 0; j < vectors; ++j) __builtin_prefetch(u + ahead + j * kLanes<T>, 0, 2);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        const T x = at[i / 3][i % 3 * row + c];
        for (int j = 0; j < vectors; ++j) sum[i][j] += w[j] * x;
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < vectors; ++j) store(to + i * to_row + j * kLanes<T>, sum[i][j]);
}

template <class T>
using Product = void (*)(const T*, i64, i64, i64, i64, const T*, T*, i64, i64);

template <class T, int vectors, bool fetch, int... row>
Product<T> product_of(i64 rows, std::integer_sequence<int, row...>) {
  static constexpr Product<T> all[] = {multiply_rows<T, row + 1, vectors, fetch>...};
  return all[rows - 1];
}

// Any number of rows, cut evenly. Weights that are `far` come from memory, those of the next
// product meanwhile.
template <class T>
void multiply(const T* v, i64 row, i64 tap, i64 taps, i64 inputs, i64 rows, const T* u, i64 width,
              T* to, i64 to_row, bool far) {
  constexpr std::make_integer_sequence<int, kTileRows> all{};
  i64 cuts = ceil_div(rows, kTileRows);
  const i64 ahead = taps * inputs * width;  // the next product's weights
  for (; rows > 0; far = false) {
    const i64 now = ceil_div(rows, cuts--);
    Product<T> f;
    if (width == kOutputs<T>)
      f = far ? product_of<T, kVectors, true>(now, all) : product_of<T, kVectors, false>(now, all);
    else
      f = product_of<T, 1, false>(now, all);
    f(v, row, tap, taps, inputs, u, to, to_row, ahead);
    v += now * row;
    to += now * to_row;
    rows -= now;
  }
}

}  // namespace
}  // namespace multiconv::MC_TARGET
