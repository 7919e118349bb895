// Sums over the taps of a kernel, of neighbouring outputs side by side in vectors.
#pragma once

#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {

// Outputs summed at once: eight chains of additions hide each other's latency.
template <int scalars, class T>
inline constexpr i64 kSums = 8 / scalars * kLanes<T>;

template <class T>
struct Taps {
  i64 count;
  const i64* offsets;
  const T* values;
};

// sums[p][i] = sum over taps of value * x[offset + i], for i below `count` at least. Two scalars
// are a complex number, with the imaginary parts of x `plane` further on.
template <int scalars, class T, int vectors = 8 / scalars>
void sum_taps(const T* x, i64 plane, const Taps<T>& taps, i64 count,
              T (&sums)[scalars][kSums<scalars, T>]) {
  constexpr int lanes = kLanes<T>;
  if constexpr (vectors > 1)
    if (count <= (vectors - 1) * lanes)
      return sum_taps<scalars, T, vectors - 1>(x, plane, taps, count, sums);
  Vec<T> sum[scalars][vectors] = {};
  for (i64 t = 0; t < taps.count; ++t) {
    const T* from = x + taps.offsets[t];
    const T* value = taps.values + t * scalars;
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v, from += lanes) {
      const Vec<T> re = load(from);
      sum[0][v] += re * value[0];
      if constexpr (scalars == 2) {
        const Vec<T> im = load(from + plane);
        sum[0][v] -= im * value[1];
        sum[1][v] += re * value[1];
        sum[1][v] += im * value[0];
      }
    }
  }
#pragma GCC unroll 2
  for (int p = 0; p < scalars; ++p)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) store(sums[p] + v * lanes, sum[p][v]);
}

}  // namespace multiconv::MC_TARGET
