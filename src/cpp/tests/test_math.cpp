// Vector functions against the C library's in extended precision, over dense samples.
#define MC_TARGET math_test
#define MC_VECTOR_BYTES 16
#define MC_REGISTERS 16
#include "simd/math.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/check.hpp"

using namespace multiconv;
using namespace multiconv::math_test;

namespace {

template <class T>
using Function = Vec<T> (*)(Vec<T>);
using Exact = long double (*)(long double);

template <class T>
T apply(Function<T> f, T x) {
  T values[kLanes<T>];
  for (T& value : values) value = x;
  return f(load(values))[0];
}

// Distance from the exact value in units of the last place of T.
template <class T>
long double units(T found, long double exact) {
  int exponent;
  std::frexp(exact, &exponent);
  const int least = std::numeric_limits<T>::min_exponent;
  const int digits = std::numeric_limits<T>::digits;
  return std::fabs(found - exact) /
         std::ldexp(1.0L, (exponent < least ? least : exponent) - digits);
}

template <class T>
long double worst_of(Function<T> f, Exact exact, long double low, long double high, int samples) {
  long double worst = 0;
  for (int i = 0; i <= samples; ++i) {
    const T x = static_cast<T>(low + (high - low) * i / samples);
    const long double error = units(apply(f, x), exact(x));
    if (error > worst) worst = error;
  }
  return worst;
}

// Over every size of number: 2^e and between.
template <class T>
long double worst_of_sizes(Function<T> f, Exact exact, int least, int most) {
  long double worst = 0;
  for (int e = least; e < most; ++e)
    for (int i = 0; i < 64; ++i)
      for (int sign = -1; sign <= 1; sign += 2) {
        const T x = static_cast<T>(std::ldexp(sign * (1.0L + i / 64.0L), e));
        const long double error = units(apply(f, x), exact(x));
        if (error > worst) worst = error;
      }
  return worst;
}

template <class T>
void test_special(Function<T> f, T at_minus_infinity, T at_zero, T at_infinity) {
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  CHECK(std::isnan(apply(f, nan)));
  CHECK(std::isnan(apply(f, -nan)));
  CHECK(apply(f, inf) == at_infinity);
  CHECK(apply(f, -inf) == at_minus_infinity);
  CHECK(apply(f, T(0)) == at_zero);
  const T huge = std::numeric_limits<T>::max();
  CHECK(apply(f, huge) == at_infinity);
  CHECK(apply(f, -huge) == at_minus_infinity);
}

template <class T>
void test_all(long double most, int tiny, long double low, long double high) {
  const T inf = std::numeric_limits<T>::infinity();
  const Function<T> exp = [](Vec<T> x) { return exp_of<T>(x); };
  const Function<T> tanh = [](Vec<T> x) { return tanh_of<T>(x); };
  const Function<T> erf = [](Vec<T> x) { return erf_of<T>(x); };
  CHECK(worst_of<T>(exp, expl, low, high, 2000000) <= most);
  CHECK(worst_of<T>(exp, expl, -1, 1, 1000000) <= most);
  CHECK(worst_of<T>(tanh, tanhl, -22, 22, 2000000) <= most);
  CHECK(worst_of<T>(erf, erfl, -7, 7, 2000000) <= most);
  CHECK(worst_of_sizes<T>(exp, expl, tiny, 6) <= most);
  CHECK(worst_of_sizes<T>(tanh, tanhl, tiny, 8) <= most);
  CHECK(worst_of_sizes<T>(erf, erfl, tiny, 8) <= most);
  test_special<T>(exp, T(0), T(1), inf);
  test_special<T>(tanh, T(-1), T(0), T(1));
  test_special<T>(erf, T(-1), T(0), T(1));
  CHECK(std::signbit(apply(tanh, T(-0.0))));
  CHECK(std::signbit(apply(erf, T(-0.0))));
}

template <class T>
void test_gelu(long double most) {
  const T inf = std::numeric_limits<T>::infinity();
  const Function<T> gelu = [](Vec<T> x) { return gelu_of<T>(x); };
  long double worst = 0;
  for (int i = -2000000; i <= 2000000; ++i) {
    const T x = static_cast<T>(i * 1e-5L);
    const long double exact = x * (1 + erfl(x / sqrtl(2))) / 2, size = std::fabs((long double)x);
    worst = std::fmax(worst, std::fabs(apply(gelu, x) - exact) / std::fmax(1.0L, size));
  }
  CHECK(worst <= most);
  CHECK(worst_of_sizes<T>(
            gelu, [](long double x) { return x * (1 + erfl(x / sqrtl(2))) / 2; },
            std::numeric_limits<T>::min_exponent, -7) <= 2.5);
  CHECK(apply(gelu, inf) == inf);
  CHECK(apply(gelu, T(-1000)) == 0);
  CHECK(apply(gelu, T(1000)) == 1000);
  CHECK(std::isnan(apply(gelu, std::numeric_limits<T>::quiet_NaN())));
}

}  // namespace

int main() {
  test_gelu<float>(2e-7L);
  test_gelu<double>(4e-16L);
  test_all<float>(2.5, -149, -103.9L, 88.7L);
  test_all<double>(2.5, -1074, -745.1L, 709.7L);
  return test::check_result();
}
