// Fourier transforms of a few points, held in registers: X[k] = sum_j x[j] exp(-2 pi i j k / r).
// The inverse is the same code with real and imaginary parts exchanged.
#pragma once

#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {

template <class T>
struct Complex {
  Vec<T> re, im;
};

template <class T>
MC_INLINE Complex<T> operator+(Complex<T> a, Complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}

template <class T>
MC_INLINE Complex<T> operator-(Complex<T> a, Complex<T> b) {
  return {a.re - b.re, a.im - b.im};
}

// By the scalar (re, im).
template <class T>
MC_INLINE Complex<T> times(Complex<T> a, T re, T im) {
  return {a.re * re - a.im * im, a.im * re + a.re * im};
}

template <class T>
MC_INLINE Complex<T> times_minus_i(Complex<T> a) {
  return {a.im, -a.re};
}

// Cosine and sine of 2 pi j / r for 0 < j <= r / 2.
template <int r>
struct Roots;

template <>
struct Roots<3> {
  static constexpr double cos[] = {-0.5};
  static constexpr double sin[] = {0.866025403784438646763723170752936183};
};

template <>
struct Roots<5> {
  static constexpr double cos[] = {0.309016994374947424102293417182819059,
                                   -0.809016994374947424102293417182819059};
  static constexpr double sin[] = {0.951056516295153572116439333379382143,
                                   0.587785252292473129168705954639072769};
};

template <>
struct Roots<7> {
  static constexpr double cos[] = {0.623489801858733530525004884004239811,
                                   -0.222520933956314404288902564496794760,
                                   -0.900968867902419126236102319507445051};
  static constexpr double sin[] = {0.781831482468029808708444526674057751,
                                   0.974927912181823607018131682993931217,
                                   0.433883739117558120475768332848358754};
};

// An odd number of points. The pairs x[j] +- x[r - j] leave real factors only.
template <int r, class T>
MC_INLINE void dft(Complex<T> (&x)[r]) {
  constexpr int half = r / 2;
  const Complex<T> first = x[0];
  Complex<T> sum[half + 1], difference[half + 1];
#pragma GCC unroll 8
  for (int j = 1; j <= half; ++j) {
    sum[j] = x[j] + x[r - j];
    difference[j] = x[j] - x[r - j];
    x[0] = x[0] + sum[j];
  }
#pragma GCC unroll 8
  for (int k = 1; k <= half; ++k) {
    Complex<T> low = first;
#pragma GCC unroll 8
    for (int j = 1; j <= half; ++j) {
      const int turn = j * k % r;
      const T c = T(Roots<r>::cos[(turn <= half ? turn : r - turn) - 1]);
      low.re += c * sum[j].re;
      low.im += c * sum[j].im;
    }
    Complex<T> high = low;
#pragma GCC unroll 8
    for (int j = 1; j <= half; ++j) {
      const int turn = j * k % r;
      const T s = T(turn <= half ? Roots<r>::sin[turn - 1] : -Roots<r>::sin[r - turn - 1]);
      low.re += s * difference[j].im;
      low.im -= s * difference[j].re;
      high.re -= s * difference[j].im;
      high.im += s * difference[j].re;
    }
    x[k] = low;
    x[r - k] = high;
  }
}

template <class T>
MC_INLINE void dft(Complex<T> (&)[1]) {}

template <class T>
MC_INLINE void dft(Complex<T> (&x)[2]) {
  const Complex<T> a = x[0], b = x[1];
  x[0] = a + b;
  x[1] = a - b;
}

template <class T>
MC_INLINE void dft(Complex<T> (&x)[4]) {
  const Complex<T> a = x[0] + x[2], b = x[0] - x[2];
  const Complex<T> c = x[1] + x[3], d = times_minus_i(x[1] - x[3]);
  x[0] = a + c;
  x[1] = b + d;
  x[2] = a - c;
  x[3] = b - d;
}

template <class T>
MC_INLINE void dft(Complex<T> (&x)[8]) {
  constexpr T s = T(0.707106781186547524400844362104849039);
  Complex<T> even[4] = {x[0] + x[4], x[1] + x[5], x[2] + x[6], x[3] + x[7]};
  const Complex<T> d0 = x[0] - x[4], d1 = x[1] - x[5], d2 = x[2] - x[6], d3 = x[3] - x[7];
  dft(even);
  // d1 and d3 turned by one and three eighths; their factor s goes into the last additions.
  const Complex<T> e1 = {d1.re + d1.im, d1.im - d1.re};
  const Complex<T> e3 = {d3.im - d3.re, -(d3.re + d3.im)};
  const Complex<T> turned = times_minus_i(d2);
  const Complex<T> a = d0 + turned, b = d0 - turned;
  const Complex<T> c = e1 + e3, d = times_minus_i(e1 - e3);
  x[0] = even[0];
  x[2] = even[1];
  x[4] = even[2];
  x[6] = even[3];
  x[1] = {a.re + s * c.re, a.im + s * c.im};
  x[5] = {a.re - s * c.re, a.im - s * c.im};
  x[3] = {b.re + s * d.re, b.im + s * d.im};
  x[7] = {b.re - s * d.re, b.im - s * d.im};
}

}  // namespace multiconv::MC_TARGET
