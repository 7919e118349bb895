// A row of sums written as integers of 8 or 16 bits, a vector at a time.
#pragma once

#include <utility>

#include "kernels/stored.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

// The first Out of each of the numbers' bits.
template <class Out, class V, std::size_t... i>
MC_INLINE auto low_bits(V a, V b, std::index_sequence<i...>) {
  constexpr int step = sizeof(a[0]) / sizeof(Out);
  typedef Out Parts __attribute__((vector_size(sizeof(V)), may_alias));
  return __builtin_shufflevector(reinterpret_cast<Parts>(a), reinterpret_cast<Parts>(b),
                                 i * step...);
}

// As narrowed() does: what the rounder pushes to the end of the fraction is the integer.
template <class Out, class T>
MC_INLINE Vec<T> with_integer(const T* p) {
  constexpr bool is_signed = Out(-1) < Out(0);
  constexpr T high = T((1 << (8 * sizeof(Out) - is_signed)) - 1), low = is_signed ? -high - 1 : 0;
  Vec<T> x = load(p);
  x = x == x ? x : splat(T(0));
  x = x > splat(low) ? x : splat(low);
  x = x < splat(high) ? x : splat(high);
  return x + splat(kRounder<T>);
}

template <class Out, class T>
MC_INLINE void round_row(const T* row, Out* out, i64 n) {
  static_assert(is_float<T> && sizeof(Out) <= 2);
  i64 i = 0;
  if constexpr (kLanes<T> > 1) {
    constexpr i64 step = 2 * kLanes<T>;
    for (; i + step <= n; i += step) {
      const auto whole =
          low_bits<Out>(with_integer<Out>(row + i), with_integer<Out>(row + i + kLanes<T>),
                        std::make_index_sequence<step>());
      __builtin_memcpy(out + i, &whole, sizeof(whole));
    }
  }
  for (; i < n; ++i) out[i] = narrowed<Out>(row[i]);
}

}  // namespace
}  // namespace multiconv::MC_TARGET
