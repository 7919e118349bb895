// The small matrix products between the transforms: tiles times outputs, summed over inputs.
#pragma once

#include "kernels/winograd_plan.hpp"

namespace multiconv::MC_TARGET {
namespace {

// A block of sums stays in registers. Row r of tap k begins at v + k * tap + r * row. Of the
// weights from `next` on, `each` come from memory at every step.
template <class T, int rows, int vectors>
void multiply_rows(const T* v, i64 row, i64 tap, i64 taps, i64 inputs, const T* u, T* to,
                   i64 to_row, const T* next, i64 each) {
  Vec<T> sum[rows][vectors] = {};
  for (i64 k = 0; k < taps; ++k, v += tap) {
    const T* at[(rows + 2) / 3];
    for (int i = 0; i < (rows + 2) / 3; ++i) at[i] = v + 3 * i * row;
    for (i64 c = 0; c < inputs; ++c, u += vectors * kLanes<T>, next += each) {
      Vec<T> w[vectors];
      for (int j = 0; j < vectors; ++j) w[j] = load(u + j * kLanes<T>);
      __builtin_prefetch(next, 0, 2);
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
using Product = void (*)(const T*, i64, i64, i64, i64, const T*, T*, i64, const T*, i64);

template <class T, int vectors, int... row>
Product<T> product_of(i64 rows, std::integer_sequence<int, row...>) {
  static constexpr Product<T> all[] = {multiply_rows<T, row + 1, vectors>...};
  return all[rows - 1];
}

// Any number of rows, cut evenly; the next product's weights come from memory meanwhile.
template <class T>
void multiply(const T* v, i64 row, i64 tap, i64 taps, i64 inputs, i64 rows, const T* u, i64 width,
              T* to, i64 to_row) {
  constexpr std::make_integer_sequence<int, kTileRows> all{};
  i64 cuts = ceil_div(rows, kTileRows);
  const i64 steps = taps * inputs, each = ceil_div(width, max_of(cuts, 1));
  for (const T* next = u + steps * width; rows > 0; next += steps * each) {
    const i64 now = ceil_div(rows, cuts--);
    const Product<T> f =
        width == kOutputs<T> ? product_of<T, kVectors>(now, all) : product_of<T, 1>(now, all);
    f(v, row, tap, taps, inputs, u, to, to_row, next, each);
    v += now * row;
    to += now * to_row;
    rows -= now;
  }
}

}  // namespace
}  // namespace multiconv::MC_TARGET
