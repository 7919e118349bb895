// The first elements of a vector in memory, and nothing behind them.
#pragma once

#include "simd/vec.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace multiconv::MC_TARGET {

// p[0 .. n) and zeros; 0 <= n <= lanes.
template <class T>
MC_INLINE Vec<T> load_first(const T* p, i64 n) {
#if defined(__AVX512F__)
  if constexpr (kLanes<T> == 16)
    return __builtin_bit_cast(Vec<T>,
                              _mm512_maskz_loadu_epi32(static_cast<__mmask16>((1u << n) - 1), p));
  if constexpr (kLanes<T> == 8)
    return __builtin_bit_cast(Vec<T>,
                              _mm512_maskz_loadu_epi64(static_cast<__mmask8>((1u << n) - 1), p));
#endif
  if constexpr (kLanes<T> == 1) {
    return n > 0 ? *p : T(0);
  } else {
    T all[kLanes<T>] = {};
    for (i64 i = 0; i < n; ++i) all[i] = p[i];
    return load(all);
  }
}

template <class T>
MC_INLINE void store_first(T* p, Vec<T> v, i64 n) {
#if defined(__AVX512F__)
  if constexpr (kLanes<T> == 16)
    return _mm512_mask_storeu_epi32(p, static_cast<__mmask16>((1u << n) - 1),
                                    __builtin_bit_cast(__m512i, v));
  if constexpr (kLanes<T> == 8)
    return _mm512_mask_storeu_epi64(p, static_cast<__mmask8>((1u << n) - 1),
                                    __builtin_bit_cast(__m512i, v));
#endif
  if constexpr (kLanes<T> == 1) {
    if (n > 0) *p = v;
  } else {
    T all[kLanes<T>];
    store(all, v);
    for (i64 i = 0; i < n; ++i) p[i] = all[i];
  }
}

}  // namespace multiconv::MC_TARGET
