// Whether numbers are finite: a sum of their products with zero is zero, else NaN.
#pragma once

#include "kernels/stored.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
struct Check {
  static constexpr bool needed = is_float<T>;  // integers always are
  Vec<T> sum = {};

  void add(Vec<T> v) {
    if constexpr (needed) sum += v * T(0);
  }

  bool passed() const {
    T each[kLanes<T>];
    store(each, sum);
    bool zero = true;
    for (int l = 0; l < kLanes<T>; ++l) zero = zero && each[l] == T(0);
    return zero;
  }
};

template <class T>
bool all_finite(const T* p, i64 n) {
  constexpr int chains = 4;
  Check<T> check[chains];
  T rest = 0;
  i64 i = 0;
  for (; i + chains * kLanes<T> <= n; i += chains * kLanes<T>)
    for (int c = 0; c < chains; ++c) check[c].add(load(p + i + c * kLanes<T>));
  for (; i < n; ++i) rest += p[i] * T(0);
  bool finite = rest == T(0);
  for (const Check<T>& c : check) finite = finite && c.passed();
  return finite;
}

}  // namespace
}  // namespace multiconv::MC_TARGET
