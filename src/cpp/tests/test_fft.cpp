// Transforms of every size against the sum that defines them, on 16-byte vectors.
#define MC_TARGET fft_test
#define MC_VECTOR_BYTES 16
#define MC_REGISTERS 16
#include "kernels/fft.hpp"

#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <vector>

#include "tests/check.hpp"

using namespace multiconv;
using namespace multiconv::fft_test;

namespace {

using Value = std::complex<long double>;

template <class T>
struct Signals {  // points * stride cells; the lanes of `count` columns hold signals
  i64 points, count, stride;
  std::vector<Complex<T>> cells;

  Signals(i64 n, i64 columns, i64 gap)
      : points(n), count(columns), stride(columns + gap), cells(n * stride) {}

  T& at(i64 i, i64 column, int lane, int part) {
    return reinterpret_cast<T*>(&cells[i * stride + column])[part * kLanes<T> + lane];
  }
  Value value(i64 i, i64 column, int lane) {
    return {at(i, column, lane, 0), at(i, column, lane, 1)};
  }
};

template <class T>
Signals<T> noise(i64 points, i64 columns, i64 gap, unsigned seed) {
  Signals<T> s(points, columns, gap);
  std::mt19937 random(seed);
  std::uniform_real_distribution<T> uniform(-1, 1);
  for (i64 i = 0; i < points; ++i)
    for (i64 c = 0; c < columns; ++c)
      for (int l = 0; l < kLanes<T>; ++l)
        for (int part = 0; part < 2; ++part) s.at(i, c, l, part) = uniform(random);
  return s;
}

template <class T>
std::vector<T> twiddles_of(const Fft& fft) {
  std::vector<double> exact(fft.twiddles);
  make_twiddles(fft, exact.data());
  return {exact.begin(), exact.end()};
}

Value root(i64 k, i64 n) {
  const long double angle = -2 * std::acos(-1.0L) * static_cast<long double>(k % n) / n;
  return {std::cos(angle), std::sin(angle)};
}

// Where a forward transform leaves frequency k.
i64 place(const Fft& fft, i64 k) {
  i64 at = 0;
  for (int s = 0; s < fft.stages; ++s) {
    at += k % fft.stage[s].radix * fft.stage[s].rest;
    k /= fft.stage[s].radix;
  }
  return at;
}

bool smooth(i64 n) {
  for (i64 p : {2, 3, 5, 7})
    while (n % p == 0) n /= p;
  return n == 1;
}

void test_plan() {
  Fft fft = {};
  for (i64 n = 1; n < 3000; ++n) {
    CHECK(plan_fft(n, fft) == smooth(n));
    if (!smooth(n)) continue;
    i64 product = 1;
    for (int s = 0; s < fft.stages; ++s) product *= fft.stage[s].radix;
    CHECK(product == n && fft.stage[fft.stages - 1].rest == 1);
  }
  CHECK(!plan_fft(0, fft) && !plan_fft(-8, fft));
  CHECK(plan_fft(kMaxPoints, fft) && !plan_fft(2 * kMaxPoints, fft));
  CHECK(plan_fft(1162261467, fft) && fft.stages == 19);  // 3 to the 19th
}

void test_roots() {
  for (i64 n : {1, 2, 3, 7, 8, 60, 64, 105, 1000, 4096}) {
    for (i64 k = 0; k < n; ++k) {
      double re, im;
      unit_root(k, n, &re, &im);
      CHECK(std::abs(Value(re, im) - root(k, n)) < 2e-16L);
    }
  }
  double re, im;
  unit_root(3, 12, &re, &im);
  CHECK(re < 1e-16 && im == -1);
}

template <class T>
void test_transform(i64 n, i64 columns, i64 gap) {
  Fft fft;
  CHECK(plan_fft(n, fft));
  const std::vector<T> twiddles = twiddles_of<T>(fft);
  Signals<T> x = noise<T>(n, columns, gap, static_cast<unsigned>(n));
  Signals<T> y = x;
  const Transform<T> t = {fft, twiddles.data(), {x.stride, columns}};
  transform<kForward>(t, y.cells.data(), y.cells.data());

  // A few frequencies of a few signals are enough, other ones for every size.
  const long double bound =
      std::numeric_limits<T>::epsilon() * (2 + std::log2(static_cast<long double>(n)));
  const i64 c = n % columns;
  const int lane = static_cast<int>(n % kLanes<T>);
  for (i64 trial = 0; trial < 5; ++trial) {
    const i64 k = (trial * trial * 7 + n / 3) % n;
    Value sum = 0;
    long double energy = 0;
    for (i64 i = 0; i < n; ++i) {
      sum += x.value(i, c, lane) * root(i * k % n, n);
      energy += std::norm(x.value(i, c, lane));
    }
    CHECK(std::abs(y.value(place(fft, k), c, lane) - sum) <= bound * std::sqrt(energy));
  }

  transform<kInverse>(t, y.cells.data(), y.cells.data());
  long double worst = 0;
  for (i64 i = 0; i < n; ++i)
    for (i64 k = 0; k < columns; ++k)
      for (int l = 0; l < kLanes<T>; ++l) {
        const Value back = y.value(i, k, l) / static_cast<long double>(n);
        worst = std::max(worst, std::abs(back - x.value(i, k, l)));
      }
  CHECK(worst <= 4 * bound);
}

// A shift is a convolution: the spectrum of a delta at 1, by one pass and by two.
template <class T>
void test_convolution(i64 n, i64 columns) {
  Fft fft;
  CHECK(plan_fft(n, fft));
  const std::vector<T> twiddles = twiddles_of<T>(fft);
  Signals<T> x = noise<T>(n, columns, 1, 5);
  std::vector<T> spectrum(2 * n * x.stride);
  for (i64 k = 0; k < n; ++k)
    for (i64 c = 0; c < columns; ++c) {
      const Value h = root(k, n) / static_cast<long double>(n);
      T* pair = &spectrum[2 * (place(fft, k) * x.stride + c)];
      pair[0] = static_cast<T>(h.real());
      pair[1] = static_cast<T>(h.imag());
    }
  const Transform<T> t = {fft, twiddles.data(), {x.stride, columns}};
  Signals<T> once = x, image = x, twice(n, columns, 1);
  transform<kConvolve>(t, once.cells.data(), once.cells.data(), spectrum.data());
  transform<kForward>(t, image.cells.data(), image.cells.data());
  transform<kMultiply | kInverse>(t, image.cells.data(), twice.cells.data(), spectrum.data());
  bool shifted = true, same = true;
  for (i64 i = 0; i < n; ++i)
    for (i64 c = 0; c < columns; ++c)
      for (int l = 0; l < kLanes<T>; ++l) {
        const Value expected = x.value(i, c, l);
        const Value found = once.value((i + 1) % n, c, l);
        shifted &= std::abs(found - expected) < 40 * std::numeric_limits<T>::epsilon();
        same &= std::abs(found - twice.value((i + 1) % n, c, l)) <
                40 * std::numeric_limits<T>::epsilon();
      }
  CHECK(shifted);
  CHECK(same);
}

}  // namespace

int main() {
  test_plan();
  test_roots();
  for (i64 n = 1; n <= 256; ++n) {
    if (!smooth(n)) continue;
    test_transform<float>(n, 1, 0);
    test_transform<double>(n, 3, 2);
    test_convolution<float>(n, 3);
    test_convolution<double>(n, 1);
  }
  // Beyond the first-level cache: depth first.
  for (i64 n : {1000, 2048, 3 * 4096, 5 * 7 * 512}) {
    test_transform<float>(n, 1, 0);
    test_transform<double>(n, 2, 1);
    test_convolution<float>(n, 1);
  }
  return test::check_result();
}
