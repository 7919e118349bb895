// Vectors of int32 from narrower integers in memory. Compilers take generic conversions that widen
// apart into single elements, so x86 gets its own instructions.
#pragma once

#include <cstdint>

#include "base/boundary.hpp"

#if defined(__SSE4_1__) && MC_VECTOR_BYTES > 0
#include <immintrin.h>
#endif

namespace multiconv::MC_TARGET {

template <int lanes>
struct Int32s {
  typedef std::int32_t type __attribute__((vector_size(4 * lanes)));
};

template <int lanes, class S>
MC_INLINE typename Int32s<lanes>::type widen(const S* p) {
  using V = typename Int32s<lanes>::type;
#if defined(__SSE4_1__) && MC_VECTOR_BYTES > 0
  constexpr bool one = sizeof(S) == 1, is_signed = S(-1) < S(0);
#if defined(__AVX512F__)
  if constexpr (lanes == 16) {  // masked, as the plain ones start from an undefined vector
    if constexpr (one) {
      const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      return reinterpret_cast<V>(is_signed ? _mm512_maskz_cvtepi8_epi32(0xFFFF, v)
                                           : _mm512_maskz_cvtepu8_epi32(0xFFFF, v));
    } else {
      const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
      return reinterpret_cast<V>(is_signed ? _mm512_maskz_cvtepi16_epi32(0xFFFF, v)
                                           : _mm512_maskz_cvtepu16_epi32(0xFFFF, v));
    }
  }
#endif
#if defined(__AVX2__)
  if constexpr (lanes == 8) {
    if constexpr (one) {
      const __m128i v = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
      return reinterpret_cast<V>(is_signed ? _mm256_cvtepi8_epi32(v) : _mm256_cvtepu8_epi32(v));
    } else {
      const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      return reinterpret_cast<V>(is_signed ? _mm256_cvtepi16_epi32(v) : _mm256_cvtepu16_epi32(v));
    }
  }
#endif
  if constexpr (lanes == 4) {
    if constexpr (one) {
      std::int32_t bytes;
      __builtin_memcpy(&bytes, p, 4);
      const __m128i v = _mm_cvtsi32_si128(bytes);
      return reinterpret_cast<V>(is_signed ? _mm_cvtepi8_epi32(v) : _mm_cvtepu8_epi32(v));
    } else {
      const __m128i v = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
      return reinterpret_cast<V>(is_signed ? _mm_cvtepi16_epi32(v) : _mm_cvtepu16_epi32(v));
    }
  }
#endif
  typedef S Narrow __attribute__((vector_size(sizeof(S) * lanes), aligned(alignof(S)), may_alias));
  return __builtin_convertvector(*reinterpret_cast<const Narrow*>(p), V);
}

}  // namespace multiconv::MC_TARGET
