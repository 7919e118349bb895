// Minimal filtering F(m, r): m outputs of a filter of r taps from t = m + r - 1 products.
//
// Toom-Cook with t - 1 finite points and infinity: zero where t is even, and pairs of opposite
// points, so that each pair's transforms share their even and their odd part. Points near these
// lose least: Barabasz et al., "Error Analysis and Improving the Accuracy of Winograd Convolution
// for Deep Neural Networks" (2020). After Winograd (1980) and Lavin & Gray, "Fast Algorithms for
// Convolutional Neural Networks" (2016).
#pragma once

#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kMostProducts = 8;  // of an axis
inline constexpr int kMostTaps = 7;      // of an axis that is transformed

// The positive points.
template <int t>
inline constexpr double kPoints[3] = {};
template <>
inline constexpr double kPoints<3>[3] = {1};
template <>
inline constexpr double kPoints<4>[3] = {1};
template <>
inline constexpr double kPoints<5>[3] = {0.4, 1.4};
template <>
inline constexpr double kPoints<6>[3] = {0.70710678118654752440, 1.41421356237309504880};
template <>
inline constexpr double kPoints<7>[3] = {0.3, 0.9, 1.7};
template <>
inline constexpr double kPoints<8>[3] = {0.5, 1, 2};

// Constants of t products.
template <int t>
struct CookToom {
  static constexpr int zero = t % 2 == 0, pairs = (t - 1) / 2;
  double square[pairs + 1] = {};             // the points', and a place so that no array is empty
  double all[pairs + 1] = {};                // coefficients of the product of all (y - square)
  double others[pairs + 1][pairs + 1] = {};  // of all but one
  double scale[pairs + 1] = {};              // of the kernel's values at each positive point
  double sign = t % 2 == 0 ? 1 : -1;         // of the scale at the opposite point
  double scale_zero = 1;

  constexpr CookToom() {
    for (int i = 0; i < pairs; ++i) square[i] = kPoints<t>[i] * kPoints<t>[i];
    if (t == 6) square[0] = 0.5, square[1] = 2;
    product(-1, all);
    for (int i = 0; i < pairs; ++i) {
      product(i, others[i]);
      double at = 2 * kPoints<t>[i] * (zero ? kPoints<t>[i] : 1);
      for (int k = 0; k < pairs; ++k)
        if (k != i) at *= square[i] - square[k];
      scale[i] = 1 / at;
    }
    for (int i = 0; i < pairs; ++i) scale_zero /= -square[i];
  }

  constexpr void product(int without, double* c) const {
    c[0] = 1;
    int degree = 0;
    for (int i = 0; i < pairs; ++i) {
      if (i == without) continue;
      for (int k = ++degree; k >= 0; --k)
        c[k] = (k > 0 ? c[k - 1] : 0) - (k < degree ? square[i] * c[k] : 0);
    }
  }
};

template <int t>
inline constexpr CookToom<t> kCookToom{};

// Value k of the kernel's transform is the sum of row[k][i] * tap i.
template <int t, int r>
struct KernelMatrix {
  double row[t][r] = {};

  constexpr KernelMatrix() {
    const CookToom<t>& c = kCookToom<t>;
    if (t == 1) {
      row[0][0] = 1;
      return;
    }
    if (c.zero) row[0][0] = c.scale_zero;
    for (int i = 0; i < c.pairs; ++i) {
      double power = c.scale[i];
      for (int k = 0; k < r; ++k, power *= kPoints<t>[i]) {
        row[c.zero + 2 * i][k] = power;
        row[c.zero + 2 * i + 1][k] = (k % 2 ? -c.sign : c.sign) * power;
      }
    }
    row[t - 1][r - 1] = 1;
  }
};

// The taps that fit a kernel's transform best: (G'G)^-1 G'.
template <int t, int r>
struct TapMatrix {
  double row[r][t] = {};

  constexpr TapMatrix() {
    constexpr KernelMatrix<t, r> g;
    double a[r][r + t] = {};
    for (int i = 0; i < r; ++i) {
      for (int k = 0; k < r; ++k)
        for (int f = 0; f < t; ++f) a[i][k] += g.row[f][i] * g.row[f][k];
      for (int f = 0; f < t; ++f) a[i][r + f] = g.row[f][i];
    }
    for (int p = 0; p < r; ++p) {
      for (int k = r + t - 1; k >= p; --k) a[p][k] /= a[p][p];
      for (int i = 0; i < r; ++i)
        for (int k = r + t - 1; i != p && k >= p; --k) a[i][k] -= a[i][p] * a[p][k];
    }
    for (int i = 0; i < r; ++i)
      for (int f = 0; f < t; ++f) row[i][f] = a[i][r + f];
  }
};

// Each of these takes kIn vectors of an axis to kOut.

template <class T, int t>
struct InputTransform {
  static constexpr int kIn = t, kOut = t;

  MC_INLINE void apply(const Vec<T>* x, Vec<T>* y) {
    constexpr CookToom<t> c = kCookToom<t>;
    if constexpr (t == 1) {
      y[0] = x[0];
    } else {
      if (c.zero) y[0] = sum<c.pairs>(c.all, x);
      y[t - 1] = sum<c.pairs>(c.all, x + c.zero);
#pragma GCC unroll 4
      for (int i = 0; i < c.pairs; ++i) {
        const Vec<T> odd = sum<c.pairs - 1>(c.others[i], x + c.zero);
        const Vec<T> even = sum<c.pairs - 1>(c.others[i], x + c.zero + 1);
        y[c.zero + 2 * i] = even + odd * static_cast<T>(kPoints<t>[i]);
        y[c.zero + 2 * i + 1] = even - odd * static_cast<T>(kPoints<t>[i]);
      }
    }
  }

  // Of every other vector; the last coefficient is 1.
  template <int degree>
  MC_INLINE Vec<T> sum(const double* c, const Vec<T>* x) {
    Vec<T> s = x[2 * degree];
#pragma GCC unroll 4
    for (int k = degree - 1; k >= 0; --k) s += x[2 * k] * static_cast<T>(c[k]);
    return s;
  }
};

template <class T, int t, int m>
struct OutputTransform {
  static constexpr int kIn = t, kOut = m;

  MC_INLINE void apply(const Vec<T>* x, Vec<T>* y) {
    constexpr CookToom<t> c = kCookToom<t>;
    if constexpr (t == 1) {
      y[0] = x[0];
    } else {
      Vec<T> sum[c.pairs], difference[c.pairs];
#pragma GCC unroll 4
      for (int i = 0; i < c.pairs; ++i) {
        const Vec<T> plus = x[c.zero + 2 * i], minus = x[c.zero + 2 * i + 1];
        sum[i] = plus + minus;
        difference[i] = plus - minus;
      }
#pragma GCC unroll 8
      for (int k = 0; k < m; ++k) {
        const Vec<T>* part = k % 2 ? difference : sum;
        Vec<T> s = part[0] * static_cast<T>(power(0, k));
        if (power(0, k) == 1) s = part[0];
#pragma GCC unroll 4
        for (int i = 1; i < c.pairs; ++i)
          s = power(i, k) == 1 ? s + part[i] : s + part[i] * static_cast<T>(power(i, k));
        if (k == 0 && c.zero) s += x[0];
        if (k == m - 1) s += x[t - 1];
        y[k] = s;
      }
    }
  }

  static constexpr double power(int i, int k) {
    double p = k % 2 ? kPoints<t>[i] : 1;
    for (int n = 0; n < k / 2; ++n) p *= kCookToom<t>.square[i];
    return p;
  }
};

template <class T, int t, int r>
struct KernelTransform {
  static constexpr int kIn = r, kOut = t;

  MC_INLINE void apply(const Vec<T>* x, Vec<T>* y) {
    constexpr KernelMatrix<t, r> g;
    constexpr CookToom<t> c = kCookToom<t>;
    if constexpr (t == 1) {
      y[0] = x[0];
    } else {
      if (c.zero) y[0] = x[0] * static_cast<T>(g.row[0][0]);
      y[t - 1] = x[r - 1];
#pragma GCC unroll 4
      for (int i = 0; i < c.pairs; ++i) {
        const double* row = g.row[c.zero + 2 * i];
        Vec<T> even = x[0] * static_cast<T>(row[0]), odd = x[1] * static_cast<T>(row[1]);
#pragma GCC unroll 8
        for (int k = 2; k < r; ++k) (k % 2 ? odd : even) += x[k] * static_cast<T>(row[k]);
        y[c.zero + 2 * i] = even + odd;
        y[c.zero + 2 * i + 1] = c.sign > 0 ? even - odd : odd - even;
      }
    }
  }
};

template <class T, int t, int r>
struct KernelInverse {
  static constexpr int kIn = t, kOut = r;

  MC_INLINE void apply(const Vec<T>* x, Vec<T>* y) {
    constexpr TapMatrix<t, r> taps;
#pragma GCC unroll 8
    for (int i = 0; i < r; ++i) {
      y[i] = x[0] * static_cast<T>(taps.row[i][0]);
#pragma GCC unroll 8
      for (int f = 1; f < t; ++f) y[i] += x[f] * static_cast<T>(taps.row[i][f]);
    }
  }
};

// A transform along one axis, for all elements of two other axes; steps in elements.
struct Loop {
  i64 count, in, out;
};

template <class T>
using Pass = void (*)(const T* in, i64 in_step, T* out, i64 out_step, Loop outer, Loop inner);

template <class T, class Transform>
void pass(const T* in, i64 in_step, T* out, i64 out_step, Loop outer, Loop inner) {
  for (i64 o = 0; o < outer.count; ++o)
    for (i64 i = 0; i < inner.count; ++i) {
      const T* from = in + o * outer.in + i * inner.in;
      T* to = out + o * outer.out + i * inner.out;
      Vec<T> x[Transform::kIn], y[Transform::kOut];
#pragma GCC unroll 8
      for (int k = 0; k < Transform::kIn; ++k) x[k] = load(from + k * in_step);
      Transform::apply(x, y);
#pragma GCC unroll 8
      for (int k = 0; k < Transform::kOut; ++k) store(to + k * out_step, y[k]);
    }
}

template <class T>
Pass<T> input_pass(int t) {
  static constexpr Pass<T> all[] = {
      pass<T, InputTransform<T, 1>>, nullptr,
      pass<T, InputTransform<T, 3>>, pass<T, InputTransform<T, 4>>,
      pass<T, InputTransform<T, 5>>, pass<T, InputTransform<T, 6>>,
      pass<T, InputTransform<T, 7>>, pass<T, InputTransform<T, 8>>,
  };
  return all[t - 1];
}

// Calls f with the sizes of an axis as constants: f.template operator()<products, other>(), where
// `other` is the number of taps or outputs.
template <class F, int t = 3, int other = 2>
auto with_sizes(int products, int n, F f) -> decltype(f.template operator()<1, 1>()) {
  if (products == 1) return f.template operator()<1, 1>();
  if constexpr (t > kMostProducts) {
    return {};
  } else {
    if (products == t && n == other) return f.template operator()<t, other>();
    if constexpr (other + 1 < t)
      return with_sizes<F, t, other + 1>(products, n, f);
    else
      return with_sizes<F, t + 1, 2>(products, n, f);
  }
}

template <class T>
Pass<T> output_pass(int t, int m) {
  return with_sizes(t, m, []<int products, int outputs>() -> Pass<T> {
    return pass<T, OutputTransform<T, products, outputs>>;
  });
}

template <class T>
Pass<T> kernel_pass(int t, int r) {
  return with_sizes(t, r, []<int products, int taps>() -> Pass<T> {
    return pass<T, KernelTransform<T, products, taps>>;
  });
}

template <class T>
Pass<T> tap_pass(int t, int r) {
  return with_sizes(t, r, []<int products, int taps>() -> Pass<T> {
    return pass<T, KernelInverse<T, products, taps>>;
  });
}

}  // namespace
}  // namespace multiconv::MC_TARGET
