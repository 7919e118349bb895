// Long kernels along a contiguous line.
//
// Taps a whole vector apart read the same vectors for neighbouring blocks of outputs: what one
// output vector reads by tap k, the one before it reads by tap k + lanes. So taps are gone through
// in classes of equal remainder, and a load serves as many products as the class has taps.
#pragma once

#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kLineVectors = 8;  // outputs in flight
inline constexpr int kClassTaps = 6;    // of one class that are taken together at most

// Adds A taps of each of `classes` remainders, from w[0], w[lanes], w[2 lanes] ... on.
template <int A, class T>
MC_INLINE void add_classes(const T* x, const T* w, i64 classes, Vec<T>* acc) {
  for (i64 c = 0; c < classes; ++c) {
    T tap[A];
    for (int a = 0; a < A; ++a) tap[a] = w[c + a * kLanes<T>];
#pragma GCC unroll 16
    for (int j = 0; j < A + kLineVectors - 1; ++j) {
      const Vec<T> value = load(x + c + j * kLanes<T>);
#pragma GCC unroll 8
      for (int a = A - 1; a >= 0; --a)
        if (j >= a && j - a < kLineVectors) acc[j - a] += value * tap[a];
    }
  }
}

template <int A, class T>
MC_INLINE void add_classes_of(int taps, const T* x, const T* w, i64 classes, Vec<T>* acc) {
  if (taps == A)
    add_classes<A>(x, w, classes, acc);
  else if constexpr (A > 1)
    add_classes_of<A - 1>(taps, x, w, classes, acc);
}

// Adds all n taps to kLineVectors vectors of outputs.
template <class T>
MC_INLINE void add_line(const T* x, const T* w, i64 n, Vec<T>* acc) {
  constexpr i64 whole = kClassTaps * kLanes<T>;
  for (; n >= whole; n -= whole, x += whole, w += whole)
    add_classes<kClassTaps>(x, w, kLanes<T>, acc);
  const i64 full = n / kLanes<T>, more = n % kLanes<T>;
  add_classes_of<kClassTaps>(static_cast<int>(full + 1), x, w, more, acc);
  add_classes_of<kClassTaps>(static_cast<int>(full), x + more, w + more, kLanes<T> - more, acc);
}

}  // namespace
}  // namespace multiconv::MC_TARGET
