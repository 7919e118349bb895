// Kernels along a contiguous line.
//
// A vector as wide as a cache line is read from two lines wherever it is not aligned, so that
// loads, not products, would take the time of short kernels: neighbouring taps share a load and
// shift it. In long kernels, taps a whole vector apart read the same vectors for neighbouring
// blocks of outputs: what one output vector reads by tap k, the one before it reads by tap k +
// lanes. So taps are gone through in classes of equal remainder, and a load serves as many products
// as the class has taps.
#pragma once

#include <utility>

#include "kernels/tile.hpp"
#include "simd/hints.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kClassTaps = 6;  // of one class that are taken together at most
// Vectors of outputs in flight: of long rows, and of others.
inline constexpr int kLongLine = MC_REGISTERS >= 32 ? 16 : 8;
inline constexpr int kShortLine = 8;

// Whether a vector fills a cache line.
template <class T>
inline constexpr bool kWide = sizeof(Vec<T>) == 64;

template <class T, std::size_t... lane>
MC_INLINE Vec<T> next_samples(Vec<T> a, Vec<T> b, std::index_sequence<lane...>) {
  return __builtin_shufflevector(a, b, lane + 1 ...);
}

// Adds n taps, two at a time. The last vector is loaded for each, lest more is read than is summed.
template <int V, class T>
MC_INLINE void add_pairs(const T* x, const T* w, i64 n, Vec<T>* acc) {
  constexpr i64 lanes = kLanes<T>, last = V - 1;
  i64 k = 0;
  if constexpr (lanes > 1)
    for (; k + 2 <= n; k += 2) {
      const T first = w[k], second = w[k + 1];
      Vec<T> value = load(x + k);
      keep<T>(value);
#pragma GCC unroll 16
      for (int v = 0; v < last; ++v) {
        Vec<T> next = load(x + k + (v + 1) * lanes);
        keep<T>(next);
        acc[v] += value * first;
        acc[v] += next_samples<T>(value, next, std::make_index_sequence<lanes>()) * second;
        value = next;
      }
      acc[last] += value * first;
      acc[last] += load(x + k + 1 + last * lanes) * second;
    }
  for (; k < n; ++k)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) acc[v] += load(x + k + v * kLanes<T>) * w[k];
}

// Adds A taps of each of `classes` remainders, from w[0], w[lanes], w[2 lanes] ... on.
template <int V, int A, class T>
MC_INLINE void add_classes(const T* x, const T* w, i64 classes, Vec<T>* acc) {
  for (i64 c = 0; c < classes; ++c) {
    T tap[A];
    for (int a = 0; a < A; ++a) tap[a] = w[c + a * kLanes<T>];
#pragma GCC unroll 32
    for (int j = 0; j < A + V - 1; ++j) {
      Vec<T> value = load(x + c + j * kLanes<T>);
      keep<T>(value);
#pragma GCC unroll 8
      for (int a = A - 1; a >= 0; --a)
        if (j >= a && j - a < V) acc[j - a] += value * tap[a];
    }
  }
}

template <int V, int A, class T>
MC_INLINE void add_classes_of(int taps, const T* x, const T* w, i64 classes, Vec<T>* acc) {
  if (taps == A)
    add_classes<V, A>(x, w, classes, acc);
  else if constexpr (A > 1)
    add_classes_of<V, A - 1>(taps, x, w, classes, acc);
}

// Whether sharing loads helps a line of so many taps.
template <class T>
MC_INLINE bool shares_loads(i64 taps) {
  return taps > kLanes<T> || kWide<T>;
}

// Whether it goes through them in classes: then they are not summed in order.
template <class T>
MC_INLINE bool sums_by_class(i64 taps) {
  return kWide<T> ? taps >= 7 * kLanes<T> / 4 : taps > kLanes<T>;
}

// Adds all n taps to V vectors of outputs.
template <int V, class T>
MC_INLINE void add_line(const T* x, const T* w, i64 n, Vec<T>* acc) {
  if (kWide<T> && !sums_by_class<T>(n)) return add_pairs<V>(x, w, n, acc);
  constexpr i64 whole = kClassTaps * kLanes<T>;
  for (; n >= whole; n -= whole, x += whole, w += whole)
    add_classes<V, kClassTaps>(x, w, kLanes<T>, acc);
  const i64 full = n / kLanes<T>, more = n % kLanes<T>;
  add_classes_of<V, kClassTaps>(static_cast<int>(full + 1), x, w, more, acc);
  add_classes_of<V, kClassTaps>(static_cast<int>(full), x + more, w + more, kLanes<T> - more, acc);
}

}  // namespace
}  // namespace multiconv::MC_TARGET
