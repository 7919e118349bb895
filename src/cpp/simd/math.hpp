// exp, tanh and erf of whole vectors, without branches: NaN stays, infinities give limits, and
// subnormal numbers count. Errors are below 2.5 units in the last place. GELU, too, to 2e-7 of
// max(1, |x|) in float.
//
// Polynomials are least maximum fits of our own; arguments are reduced as Cody & Waite, "Software
// Manual for the Elementary Functions" (1980), do it.
#pragma once

#include <type_traits>

#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {

template <class T>
struct MathTerms;

template <>
struct MathTerms<float> {
  using Word = std::uint32_t;
  static constexpr int mantissa = 23;
  static constexpr Word bias = 127, sign = Word(1) << 31;
  static constexpr float rounder = 12582912.0f;  // adding it rounds to whole numbers
  static constexpr float log2_high = 0.693359375f, log2_low = -2.12194440e-4f;
  static constexpr float least_exp = -104, most_exp = 89;  // beyond these all is 0 or infinite
  static constexpr float most_tanh = 10, most_erf = 4;     // beyond these all is 1
  // (exp(r) - 1 - r) / r^2, for |r| to log(2) / 2
  static constexpr float exp[] = {0.4999999418563071f, 0.16666522565825978f, 0.04166817763235741f,
                                  0.008368531106190706f, 0.0013826889317775663f};
  // erf(x) / x - 1 by powers of x^2, for |x| to 1
  static constexpr float erf[] = {
      0.12837916576339561f,  -0.3761262598800494f,    0.11283586606358015f,  -0.02685387455086873f,
      0.005188461885484621f, -0.0008011541776247969f, 7.858897158185769e-05f};
  // log(1 - erf(x)) by powers of x - 1, from 1 on
  static constexpr float tail[] = {-1.849605510042869f,    -2.6389675155095302f,
                                   -0.8431070768438113f,   -0.041563480173577236f,
                                   0.010046423225345786f,  -0.0020119191967526767f,
                                   0.0002894988135349982f, -2.1680545045436087e-05f};
  static constexpr float most_normal = 5.2f;  // beyond it all is 1
  // erf(x / sqrt(2)) / x by powers of 2 x^2 / 5.2^2 - 1, for |x| to 5.2
  static constexpr float normal[] = {
      0.27189995649410603f,   -0.1354876111407022f,    0.10005221982201098f,
      -0.07985079498873818f,  0.06392464625089327f,    -0.04952689932485742f,
      0.03626784532760351f,   -0.024706719052409547f,  0.016020179601497514f,
      -0.010134735693416462f, 0.005324884324402551f,   -0.0019570315509419996f,
      0.001201520100909828f,  -0.0011245807232561223f, 0.00040477945430218693f};
};

template <>
struct MathTerms<double> {
  using Word = std::uint64_t;
  static constexpr int mantissa = 52;
  static constexpr Word bias = 1023, sign = Word(1) << 63;
  static constexpr double rounder = 6755399441055744.0;
  static constexpr double log2_high = 0x1.62e42feep-1, log2_low = 0x1.a39ef35793c76p-33;
  static constexpr double least_exp = -746, most_exp = 710;
  static constexpr double most_tanh = 20, most_erf = 6;
  static constexpr double exp[] = {0.5,
                                   0.16666666666666682,
                                   0.041666666666666075,
                                   0.008333333333316987,
                                   0.0013888888889120503,
                                   0.0001984126989650937,
                                   2.4801586920125075e-05,
                                   2.755723472336684e-06,
                                   2.755758592547113e-07,
                                   2.5112089620026055e-08,
                                   2.0825683022919583e-09};
  static constexpr double erf[] = {
      0.1283791670955126,     -0.3761263890318375,     0.11283791670954858,
      -0.026866170645072927,  0.005223977624780572,    -0.0008548326978709855,
      0.0001205533103556631,  -1.4925593476887026e-05, 1.6460972421083922e-06,
      -1.635002224206689e-07, 1.4657869088266217e-08,  -1.1365662294250519e-09,
      5.945320623757717e-11};
  static constexpr double tail[] = {
      -1.8496055099332482,     -2.638967514234777,     -0.8431072563593428,
      -0.0415610980263967,     0.010033825191797626,   -0.0019779012882183665,
      0.00023731670150812264,  2.6295659261173286e-05, -2.7197797131543553e-05,
      9.669888412035116e-06,   -2.130566846741954e-06, 2.0388546984024293e-07,
      5.846702549753152e-08,   -3.355199799934768e-08, 8.558323906869385e-09,
      -1.3255260931627454e-09, 1.1994296532676193e-10, -4.89151394222217e-12};
};

template <class T>
using Words = Vec<typename MathTerms<T>::Word>;

template <class T>
MC_INLINE Words<T> words_of(Vec<T> x) {
  return __builtin_bit_cast(Words<T>, x);
}

template <class T>
MC_INLINE Vec<T> magnitude_of(Vec<T> x) {
  return __builtin_bit_cast(Vec<T>, words_of<T>(x) & ~MathTerms<T>::sign);
}

// Of a magnitude and something of the wanted sign.
template <class T>
MC_INLINE Vec<T> with_sign(Vec<T> size, Vec<T> of) {
  return __builtin_bit_cast(Vec<T>, words_of<T>(size) | (words_of<T>(of) & MathTerms<T>::sign));
}

// NaN stays.
template <class T>
MC_INLINE Vec<T> at_most(Vec<T> x, T most) {
  return x > splat(most) ? splat(most) : x;
}

template <class T, int n>
MC_INLINE Vec<T> polynomial(Vec<T> x, const T (&terms)[n]) {
  Vec<T> sum = splat(terms[n - 1]);
#pragma GCC unroll 32
  for (int k = n - 2; k >= 0; --k) sum = sum * x + terms[k];
  return sum;
}

template <class T>
MC_INLINE Vec<T> whole(Vec<T> x) {
  return (x + MathTerms<T>::rounder) - MathTerms<T>::rounder;
}

// 2^n of whole numbers n.
template <class T>
MC_INLINE Vec<T> power_of_two(Vec<T> n) {
  using M = MathTerms<T>;
  const Words<T> zero = words_of<T>(splat(M::rounder)) - M::bias;
  return __builtin_bit_cast(Vec<T>, (words_of<T>(n + M::rounder) - zero) << M::mantissa);
}

// x = whole log(2) + rest; `less_one` is exp(rest) - 1, exact to all its own digits.
template <class T>
struct ReducedExp {
  Vec<T> power, less_one;

  MC_INLINE ReducedExp of(Vec<T> x) {
    using M = MathTerms<T>;
    const Vec<T> n = whole<T>(x * T(1.44269504088896340736));
    const Vec<T> r = (x - n * M::log2_high) - n * M::log2_low;
    return {n, r * r * polynomial<T>(r, M::exp) + r};
  }
};

template <class T>
MC_INLINE Vec<T> exp_of(Vec<T> x) {
  using M = MathTerms<T>;
  x = x < splat(M::least_exp) ? splat(M::least_exp) : at_most<T>(x, M::most_exp);
  const auto e = ReducedExp<T>::of(x);
  const Vec<T> half = whole<T>(e.power * T(0.5));  // 2^power may be too much for one factor
  return (e.less_one + T(1)) * power_of_two<T>(half) * power_of_two<T>(e.power - half);
}

// By exp(2x) - 1, which keeps the digits of small x.
template <class T>
MC_INLINE Vec<T> tanh_of(Vec<T> x) {
  const Vec<T> size = at_most<T>(magnitude_of<T>(x), MathTerms<T>::most_tanh);
  const auto e = ReducedExp<T>::of(size + size);
  const Vec<T> power = power_of_two<T>(e.power);
  const Vec<T> less_one = power * e.less_one + (power - T(1));
  return with_sign<T>(less_one / (less_one + T(2)), x);
}

// A polynomial up to 1, one minus an exponential beyond.
template <class T>
MC_INLINE Vec<T> erf_of(Vec<T> x) {
  using M = MathTerms<T>;
  const Vec<T> size = at_most<T>(magnitude_of<T>(x), M::most_erf);
  const Vec<T> near = size * polynomial<T>(size * size, M::erf) + size;
  const Vec<T> far = T(1) - exp_of<T>(polynomial<T>(size - T(1), M::tail));
  return with_sign<T>(size < splat(T(1)) ? near : far, x);
}

// How much likelier a normal number is below |x| than above it, with the sign of x: erf(x /
// sqrt(2)).
MC_INLINE Vec<double> normal_of(Vec<double> x) {
  return erf_of<double>(x * 0.70710678118654752440);
}

// One polynomial, as what is added to 1 needs no more digits.
MC_INLINE Vec<float> normal_of(Vec<float> x) {
  using M = MathTerms<float>;
  const Vec<float> size = at_most<float>(magnitude_of<float>(x), M::most_normal);
  const Vec<float> place = size * size * (2 / (M::most_normal * M::most_normal)) - 1.0f;
  const Vec<float> near = size * polynomial<float>(place, M::normal);
  return with_sign<float>(size < splat(M::most_normal) ? near : at_most<float>(size, 1.0f), x);
}

template <class T>
MC_INLINE Vec<T> gelu_of(Vec<T> x) {
  return T(0.5) * x * (normal_of(x) + T(1));
}

}  // namespace multiconv::MC_TARGET
