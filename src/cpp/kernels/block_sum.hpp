// Direct summation over a gathered block, for data that a transform would spoil.
#pragma once

#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {

template <class T>
inline constexpr i64 kSums = 4 * kLanes<T>;  // outputs summed at once

template <class T>
struct Taps {
  i64 count;
  const i64* offsets;
  const T* values;
};

// sums[p][i] = sum over taps of value * x[offset + i] for kSums consecutive outputs. Complex numbers
// (two scalars) have their imaginary parts in a plane `plane` further on.
template <int scalars, class T>
void sum_taps(const T* x, i64 plane, const Taps<T>& taps, T (&sums)[scalars][kSums<T>]) {
  constexpr int lanes = kLanes<T>, vectors = kSums<T> / lanes;
  Vec<T> sum[scalars][vectors] = {};
  for (i64 t = 0; t < taps.count; ++t) {
    const T* from = x + taps.offsets[t];
    const T* value = taps.values + t * scalars;
#pragma GCC unroll 4
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
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) store(sums[p] + v * lanes, sum[p][v]);
}

}  // namespace multiconv::MC_TARGET
