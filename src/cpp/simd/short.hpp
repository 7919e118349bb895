// Vectors of 16-bit numbers: from bytes, to bytes, and the high halves of products. x86 gets its
// own instructions, as compilers take the generic forms apart into single elements.
#pragma once

#include <cstdint>

#include "simd/vec.hpp"

#if defined(__SSE4_1__) && MC_VECTOR_BYTES > 0
#include <immintrin.h>
#define MC_X86_SHORT 1
#else
#define MC_X86_SHORT 0
#endif

namespace multiconv::MC_TARGET {

using Short = std::uint16_t;
using Shorts = Vec<Short>;

// Bytes are widened without a sign.
template <class S>
MC_INLINE Shorts load_shorts(const S* p) {
  if constexpr (sizeof(S) == 2) {
    return load(p);
  } else {
#if MC_X86_SHORT && MC_VECTOR_BYTES == 64
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return reinterpret_cast<Shorts>(_mm512_maskz_cvtepu8_epi16(0xFFFFFFFF, v));
#elif MC_X86_SHORT && MC_VECTOR_BYTES == 32
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return reinterpret_cast<Shorts>(_mm256_cvtepu8_epi16(v));
#elif MC_X86_SHORT
    const __m128i v = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return reinterpret_cast<Shorts>(_mm_cvtepu8_epi16(v));
#elif MC_VECTOR_BYTES > 0
    typedef S Narrow __attribute__((vector_size(kLanes<Short>), aligned(1), may_alias));
    return __builtin_convertvector(*reinterpret_cast<const Narrow*>(p), Shorts);
#else
    return *p;
#endif
  }
}

// The low bytes.
MC_INLINE void store_bytes(std::uint8_t* p, Shorts v) {
#if MC_X86_SHORT && MC_VECTOR_BYTES == 64
  const __m256i bytes = _mm512_maskz_cvtepi16_epi8(0xFFFFFFFF, reinterpret_cast<__m512i>(v));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), bytes);
#elif MC_X86_SHORT && MC_VECTOR_BYTES == 32
  const __m256i low = reinterpret_cast<__m256i>(v & 255);
  const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(low, low), 0x08);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(bytes));
#elif MC_X86_SHORT
  const __m128i low = reinterpret_cast<__m128i>(v & 255);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(low, low));
#elif MC_VECTOR_BYTES > 0
  typedef std::uint8_t Narrow __attribute__((vector_size(kLanes<Short>)));
  const Narrow bytes = __builtin_convertvector(v, Narrow);
  __builtin_memcpy(p, &bytes, sizeof bytes);
#else
  *p = static_cast<std::uint8_t>(v);
#endif
}

// a * b / 65536, rounded down.
MC_INLINE Shorts high_product(Shorts a, Shorts b) {
#if MC_X86_SHORT && MC_VECTOR_BYTES == 64
  return reinterpret_cast<Shorts>(
      _mm512_mulhi_epu16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif MC_X86_SHORT && MC_VECTOR_BYTES == 32
  return reinterpret_cast<Shorts>(
      _mm256_mulhi_epu16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif MC_X86_SHORT
  return reinterpret_cast<Shorts>(
      _mm_mulhi_epu16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#elif MC_VECTOR_BYTES > 0
  typedef std::uint32_t Wide __attribute__((vector_size(2 * MC_VECTOR_BYTES)));
  const Wide product = __builtin_convertvector(a, Wide) * __builtin_convertvector(b, Wide);
  return __builtin_convertvector(product >> 16, Shorts);
#else
  return static_cast<Short>(static_cast<std::uint32_t>(a) * b >> 16);
#endif
}

}  // namespace multiconv::MC_TARGET
