// One vector type per element type, as wide as the target's registers. Arithmetic is the
// compiler's: a + b, a * b and a * scalar work on vectors as on numbers. Included once per
// instruction set.
#pragma once

#include <type_traits>

#include "base/boundary.hpp"
#include "base/desc.hpp"
#include "simd/brain_float.hpp"
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
  } else if constexpr (std::is_same_v<S, BrainFloat>) {
    const auto* bits = reinterpret_cast<const std::uint16_t*>(p);
    return __builtin_bit_cast(Vec<T>, load_as<std::uint32_t>(bits) << 16);
  } else {
    return __builtin_convertvector(widen<kLanes<T>>(p), Vec<T>);
  }
}

template <class T>
MC_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename VecOf<T, MC_VECTOR_BYTES>::unaligned*>(p) = v;
}

// Floats, as bfloat16.
template <class T>
MC_INLINE void store_halved(BrainFloat* p, Vec<T> v) {
  if constexpr (kLanes<T> == 1) {
    *p = BrainFloat(v);
  } else {
    using Bits = Vec<std::uint32_t>;
    const auto all = __builtin_bit_cast(Bits, v);
    const Bits near = v == v ? all + BrainFloat::kHalf + (all >> 16 & 1) : all | BrainFloat::kQuiet;
    using Halves = typename VecOf<std::uint16_t, sizeof(Vec<T>) / 2>::type;
    const Halves halves = __builtin_convertvector(near >> 16, Halves);
    __builtin_memcpy(p, &halves, sizeof(halves));
  }
}

template <class T>
MC_INLINE Vec<T> splat(T x) {
  return x - Vec<T>{};  // -0 stays; the compiler drops it
}

}  // namespace multiconv::MC_TARGET
