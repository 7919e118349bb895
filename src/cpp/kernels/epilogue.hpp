// What happens to a finished row of sums: bias, activation, conversion to the stored type.
#pragma once

#include <cmath>

#include "base/boundary.hpp"
#include "base/desc.hpp"
#include "kernels/stored.hpp"

namespace multiconv::MC_TARGET {

template <class T>
MC_INLINE T activate(Activation a, T x) {
  switch (a) {
    case Activation::none:
      return x;
    case Activation::relu:
      return x < T(0) ? T(0) : x;  // keeps NaN
    case Activation::relu6:
      return x < T(0) ? T(0) : x > T(6) ? T(6) : x;
    case Activation::leaky_relu:
      return x < T(0) ? x * T(0.01) : x;
    case Activation::silu:
      return x / (T(1) + ::exp(-x));
    case Activation::gelu:
      return T(0.5) * x * (T(1) + ::erf(x * T(0.70710678118654752440)));
    case Activation::gelu_tanh:
      return T(0.5) * x *
             (T(1) + ::tanh(T(0.79788456080286535588) * (x + T(0.044715) * x * x * x)));
    case Activation::hard_swish: {
      const T gate = x + T(3);
      return x * (gate < T(0) ? T(0) : gate > T(6) ? T(6) : gate) / T(6);
    }
    case Activation::sigmoid:
      return T(1) / (T(1) + ::exp(-x));
    case Activation::tanh:
      return ::tanh(x);
  }
  return x;
}

// In place over n sums; real types only.
template <class T>
MC_INLINE void activate_row(Activation a, T* row, i64 n) {
  if (a == Activation::none) return;
  for (i64 i = 0; i < n; ++i) row[i] = activate(a, row[i]);
}

// Writes n values as they are stored.
template <class T, class Out>
MC_INLINE void store_row(const T* row, Out* out, i64 stride, i64 n) {
  if (stride == 1)
    for (i64 i = 0; i < n; ++i) out[i] = narrowed<Out>(row[i]);
  else
    for (i64 i = 0; i < n; ++i) out[i * stride] = narrowed<Out>(row[i]);
}

}  // namespace multiconv::MC_TARGET
