// Square roots of vectors, for which compilers have no generic form.
#pragma once

#include <cmath>

#include "simd/vec.hpp"

#if defined(__SSE4_1__) && MC_VECTOR_BYTES > 0
#include <immintrin.h>
#elif defined(__aarch64__) && MC_VECTOR_BYTES > 0
#include <arm_neon.h>
#endif

namespace multiconv::MC_TARGET {

// Correctly rounded.
template <class T>
MC_INLINE Vec<T> root(Vec<T> x) {
#if MC_VECTOR_BYTES == 0
  return std::sqrt(x);
#elif defined(__aarch64__)
  if constexpr (sizeof(T) == 4)
    return (Vec<T>)vsqrtq_f32((float32x4_t)x);
  else
    return (Vec<T>)vsqrtq_f64((float64x2_t)x);
#elif MC_VECTOR_BYTES == 64  // masked, as the plain ones start from an undefined vector
  if constexpr (sizeof(T) == 4)
    return (Vec<T>)_mm512_maskz_sqrt_ps(0xFFFF, (__m512)x);
  else
    return (Vec<T>)_mm512_maskz_sqrt_pd(0xFF, (__m512d)x);
#elif MC_VECTOR_BYTES == 32
  if constexpr (sizeof(T) == 4)
    return (Vec<T>)_mm256_sqrt_ps((__m256)x);
  else
    return (Vec<T>)_mm256_sqrt_pd((__m256d)x);
#else
  if constexpr (sizeof(T) == 4)
    return (Vec<T>)_mm_sqrt_ps((__m128)x);
  else
    return (Vec<T>)_mm_sqrt_pd((__m128d)x);
#endif
}

}  // namespace multiconv::MC_TARGET
