// What compilers have to be told about vectors.
#pragma once

#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {

// Keeps a value in its register, where compilers would load it again for every product, or keep
// sums of addresses instead of the addresses.
template <class T>
MC_INLINE void keep(const T*& p) {
  asm("" : "+r"(p));
}
template <class T>
MC_INLINE void keep(Vec<T>& v) {
  if constexpr (kLanes<T> > 1) {
#if defined(__x86_64__)
    asm("" : "+v"(v));
#elif defined(__aarch64__)
    asm("" : "+w"(v));
#endif
  }
}

// Stores past the caches; `p` is aligned to a vector.
template <class T>
MC_INLINE void stream(T* p, Vec<T> v) {
#if defined(__x86_64__) && MC_VECTOR_BYTES == 64
  _mm512_stream_ps(reinterpret_cast<float*>(p), __builtin_bit_cast(__m512, v));
#elif defined(__x86_64__) && MC_VECTOR_BYTES == 32
  _mm256_stream_ps(reinterpret_cast<float*>(p), __builtin_bit_cast(__m256, v));
#elif defined(__x86_64__) && MC_VECTOR_BYTES == 16
  _mm_stream_ps(reinterpret_cast<float*>(p), __builtin_bit_cast(__m128, v));
#else
  store(p, v);
#endif
}

// What was streamed is in memory before anything that is stored after.
MC_INLINE void end_stream() {
#if defined(__x86_64__) && MC_VECTOR_BYTES > 0
  _mm_sfence();
#endif
}

}  // namespace multiconv::MC_TARGET
