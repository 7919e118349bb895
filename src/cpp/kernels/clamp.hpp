// Activations that cut sums off, which registers can do before they store.
#pragma once

#include <limits>

#include "base/kernel.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {

MC_INLINE bool cuts_off(const Desc& d) {
  return d.activation == Activation::relu || d.activation == Activation::relu6;
}

// Whether such an activation is all that is to be done to sums.
MC_INLINE bool clamps(const Desc& d) { return !d.has_scale && !d.has_residual && cuts_off(d); }

template <class T>
class Clamp {
 public:
  Clamp() = default;
  Clamp(const Desc& d, bool on) : on_(on) {
    if (d.activation == Activation::relu6) most_ = T(6);
  }

  // Of the sums v[0 .. count).
  template <int count>
  __attribute__((always_inline)) void apply(Vec<T>* v) const {
    if (!on_) return;
    const Vec<T> low = splat(least_), high = splat(most_);
#pragma GCC unroll 32
    for (int i = 0; i < count; ++i) {
      v[i] = v[i] < low ? low : v[i];  // NaN stays
      v[i] = v[i] > high ? high : v[i];
    }
  }

 private:
  bool on_ = false;
  T least_ = T(0);  // compilers take two instructions for a limit that they know
  T most_ = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                 : std::numeric_limits<T>::max();
};

}  // namespace multiconv::MC_TARGET
