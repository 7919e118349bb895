// Activation functions of rows of sums, as torch.nn.functional defines them.
#pragma once

#include "simd/math.hpp"

namespace multiconv::MC_TARGET {

// Of magnitudes, so that neither side loses digits or overflows.
template <class T>
MC_INLINE Vec<T> sigmoid_of(Vec<T> x) {
  const Vec<T> small = exp_of<T>(-magnitude_of<T>(x));
  return (x < splat(T(0)) ? small : splat(T(1))) / (small + T(1));
}

// x as far as it lies between 0 and `most`; keeps NaN.
template <class T>
MC_INLINE Vec<T> between_0_and(T most, Vec<T> x) {
  const Vec<T> zero = {};
  return x < zero ? zero : at_most<T>(x, most);
}

// In place, by vectors: f(vector) for all n values, in one loop, so that a value's place in the row
// cannot change its bits.
template <class T, class F>
MC_INLINE void map_row(T* row, i64 n, F&& f) {
  constexpr i64 lanes = kLanes<T>;
  const i64 rest = n % lanes, end = n - rest;
  T last[lanes] = {};
  for (i64 i = 0; i < rest; ++i) last[i] = row[end + i];
  for (i64 i = 0; i < end + (rest > 0 ? lanes : 0); i += lanes) {
    T* at = i < end ? row + i : last;
    store(at, f(load(at)));
  }
  for (i64 i = 0; i < rest; ++i) row[end + i] = last[i];
}

// In place over n sums; real types only. `slope` is that of leaky_relu.
template <class T>
void activate_row(Activation a, T slope, T* row, i64 n) {
  using V = Vec<T>;
  const V zero = {};
  switch (a) {
    case Activation::none:
      return;
    case Activation::relu:
      return map_row(row, n, [&](V x) { return x < zero ? zero : x; });
    case Activation::relu6:
      return map_row(row, n, [](V x) { return between_0_and<T>(T(6), x); });
    case Activation::leaky_relu:
      return map_row(row, n, [&](V x) { return x < zero ? x * slope : x; });
    case Activation::silu:
      return map_row(row, n, [](V x) { return x * sigmoid_of<T>(x); });
    case Activation::gelu:
      return map_row(row, n, [](V x) {
        return T(0.5) * x * (erf_of<T>(x * T(0.70710678118654752440)) + T(1));
      });
    case Activation::gelu_tanh:
      return map_row(row, n, [](V x) {
        const V inner = T(0.79788456080286535588) * (x * x * x * T(0.044715) + x);
        return T(0.5) * x * (tanh_of<T>(inner) + T(1));
      });
    case Activation::hard_swish:
      return map_row(row, n, [](V x) { return x * between_0_and<T>(T(6), x + T(3)) / T(6); });
    case Activation::sigmoid:
      return map_row(row, n, [](V x) { return sigmoid_of<T>(x); });
    case Activation::tanh:
      return map_row(row, n, [](V x) { return tanh_of<T>(x); });
  }
}

}  // namespace multiconv::MC_TARGET
