// One vector type per element type, as wide as the target's registers. Arithmetic is the
// compiler's: a + b, a * b and a * scalar work on vectors as on numbers. Included once per
// instruction set.
#pragma once

#include "base/boundary.hpp"
#include "base/desc.hpp"
#include "simd/widen.hpp"

namespace multiconv::MC_TARGET {

template <class T, int bytes>
struct VecOf {
  static constexpr int lanes = bytes / static_cast<int>(sizeof(T));
  typedef T type __attribute__((vector_size(bytes)));
  typedef T unaligned __attribute__((vector_size(bytes), aligned(alignof(T)), may_alias));
};

template <class T>
struct VecOf<T, 0> {
  static constexpr int lanes = 1;
  typedef T type;
  typedef T unaligned __attribute__((may_alias));
};

template <class T>
using Vec = typename VecOf<T, MC_VECTOR_BYTES>::type;

template <class T>
inline constexpr int kLanes = VecOf<T, MC_VECTOR_BYTES>::lanes;

template <class T>
MC_INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename VecOf<T, MC_VECTOR_BYTES>::unaligned*>(p);
}

// Values of a narrower type S, as T.
template <class T, class S>
MC_INLINE Vec<T> load_as(const S* p) {
  if constexpr (sizeof(S) == sizeof(T)) {
    return load(p);
  } else if constexpr (kLanes<T> == 1) {
    return static_cast<T>(*p);
  } else {
    return __builtin_convertvector(widen<kLanes<T>>(p), Vec<T>);
  }
}

template <class T>
MC_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename VecOf<T, MC_VECTOR_BYTES>::unaligned*>(p) = v;
}

template <class T>
MC_INLINE Vec<T> splat(T x) {
  return Vec<T>{} + x;
}

}  // namespace multiconv::MC_TARGET
