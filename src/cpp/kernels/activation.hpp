// Activation functions of vectors, as torch.nn.functional defines them.
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

// Calls `use` with the function of vectors that an activation is; real types only. `slope` is that
// of leaky_relu.
template <class T, class F>
MC_INLINE void with_activation(Activation a, T slope, F&& use) {
  using V = Vec<T>;
  switch (a) {
    case Activation::none:
      return use([](V x) { return x; });
    case Activation::relu:
      return use([](V x) { return x < V{} ? V{} : x; });  // keeps NaN
    case Activation::relu6:
      return use([](V x) { return between_0_and<T>(T(6), x); });
    case Activation::leaky_relu:
      return use([slope](V x) { return x < V{} ? x * slope : x; });
    case Activation::silu:
      return use([](V x) { return x * sigmoid_of<T>(x); });
    case Activation::gelu:
      return use([](V x) { return gelu_of<T>(x); });
    case Activation::gelu_tanh:
      return use([](V x) {
        const V inner = T(0.79788456080286535588) * (x * x * x * T(0.044715) + x);
        return T(0.5) * x * (tanh_of<T>(inner) + T(1));
      });
    case Activation::hard_swish:
      return use([](V x) { return x * between_0_and<T>(T(6), x + T(3)) / T(6); });
    case Activation::sigmoid:
      return use([](V x) { return sigmoid_of<T>(x); });
    case Activation::tanh:
      return use([](V x) { return tanh_of<T>(x); });
  }
}

}  // namespace multiconv::MC_TARGET
