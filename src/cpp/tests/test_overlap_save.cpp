// overlap_save against the sum that defines it, on every target that this CPU runs.
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "base/boundary.hpp"
#include "base/scratch.hpp"
#include "registry.hpp"
#include "tests/check.hpp"

using namespace multiconv;

namespace {

std::mt19937 source(1);

i64 draw(i64 low, i64 high) { return std::uniform_int_distribution<i64>(low, high)(source); }

template <class T>
struct Traits {
  using Real = T;
  using Wide = std::conditional_t<sizeof(T) == 4, double, long double>;
  static constexpr DType type = sizeof(T) == 4 ? DType::f32 : DType::f64;
  static T noise() { return std::uniform_real_distribution<T>(-1, 1)(source); }
};

template <class T>
struct Traits<std::complex<T>> {
  using Real = T;
  using Wide = std::complex<typename Traits<T>::Wide>;
  static constexpr DType type = sizeof(T) == 4 ? DType::c64 : DType::c128;
  static std::complex<T> noise() { return {Traits<T>::noise(), Traits<T>::noise()}; }
};

// Complex factors by the plain formula, without C's rules for infinities.
template <class T>
T product(T a, T b) {
  return a * b;
}
template <class T>
std::complex<T> product(std::complex<T> a, std::complex<T> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// An array of any layout: axes in random order, some backwards, with gaps.
template <class T>
struct Array {
  std::vector<i64> sizes, strides;
  std::vector<T> memory;
  i64 origin = 0;

  Array(std::vector<i64> shape, bool odd) : sizes(shape), strides(shape.size()) {
    std::vector<int> order;
    for (int a = static_cast<int>(shape.size()) - 1; a >= 0; --a) order.push_back(a);
    if (odd) std::shuffle(order.begin(), order.end(), source);
    i64 step = odd ? draw(1, 2) : 1;
    for (int a : order) {
      strides[a] = step;
      step *= sizes[a] + (odd ? draw(0, 1) : 0);
    }
    memory.assign(static_cast<std::size_t>(step), T(77));
    for (std::size_t a = 0; odd && a < shape.size(); ++a)
      if (draw(0, 3) == 0 && sizes[a] > 0) {
        origin += strides[a] * (sizes[a] - 1);
        strides[a] = -strides[a];
      }
  }

  template <class F>
  void each(F&& f) {
    std::vector<i64> index(sizes.size(), 0);
    for (i64 size : sizes)
      if (size == 0) return;
    for (;;) {
      f(index);
      int a = static_cast<int>(sizes.size()) - 1;
      while (a >= 0 && ++index[a] == sizes[a]) index[a--] = 0;
      if (a < 0) return;
    }
  }

  T& operator[](const std::vector<i64>& index) {
    i64 at = origin;
    for (std::size_t a = 0; a < index.size(); ++a) at += index[a] * strides[a];
    return memory[static_cast<std::size_t>(at)];
  }

  void fill_with_noise() {
    each([&](const std::vector<i64>& i) { (*this)[i] = Traits<T>::noise(); });
  }

  template <class V>
  V view() {
    V v = {memory.data() + origin, {}};
    for (std::size_t a = 0; a < strides.size(); ++a) v.strides[a] = strides[a];
    return v;
  }
};

struct Shape {
  std::vector<i64> in, kernel, tile;
  std::vector<i64> stride, dilation, low, high;
  std::vector<Boundary> boundary;
  i64 batch = 1, groups = 1, channels = 1;
  bool flip = false, odd = false;

  Shape(std::vector<i64> in_size, std::vector<i64> kernel_size, std::vector<i64> tile_size)
      : in(in_size),
        kernel(kernel_size),
        tile(tile_size),
        stride(in.size(), 1),
        dilation(in.size(), 1),
        low(in.size(), 0),
        high(in.size(), 0),
        boundary(in.size(), Boundary::constant) {}
};

// One problem with its arrays.
template <class T>
struct Problem {
  using Real = typename Traits<T>::Real;
  using Wide = typename Traits<T>::Wide;

  Desc desc = {};
  Array<T> x, w, out;
  std::vector<T> bias;

  explicit Problem(const Shape& s)
      : desc(describe(s)),
        x(dims({s.batch, s.groups, 1}, desc.in_size), s.odd),
        w(dims({s.groups, s.channels, 1}, desc.kernel), s.odd),
        out(dims({s.batch, s.groups, s.channels}, desc.out_size), s.odd) {
    x.fill_with_noise();
    w.fill_with_noise();
  }

  static Desc describe(const Shape& s) {
    Desc d = {};
    d.rank = static_cast<int>(s.in.size());
    d.batch = s.batch;
    d.groups = s.groups;
    d.in_channels = 1;
    d.out_channels = s.channels;
    for (int a = 0; a < d.rank; ++a) {
      const i64 span = s.dilation[a] * (s.kernel[a] - 1) + 1;
      d.in_size[a] = s.in[a];
      d.kernel[a] = s.kernel[a];
      d.stride[a] = s.stride[a];
      d.dilation[a] = s.dilation[a];
      d.in_dilation[a] = 1;
      d.pad_low[a] = s.low[a];
      d.boundary[a] = s.boundary[a];
      const i64 length = s.in[a] + s.low[a] + s.high[a];
      d.out_size[a] = length < span ? 0 : (length - span) / s.stride[a] + 1;
      d.tile[a] = s.tile[a];
    }
    d.cval[0] = 0.75;
    d.cval[1] = -0.5;
    d.flip = s.flip;
    d.x_type = d.compute = d.out_type = Traits<T>::type;
    return d;
  }

  std::vector<i64> dims(std::vector<i64> first, const i64* sizes) const {
    first.insert(first.end(), sizes, sizes + desc.rank);
    return first;
  }

  T constant() const {
    if constexpr (std::is_same_v<T, Real>)
      return static_cast<T>(desc.cval[0]);
    else
      return {static_cast<Real>(desc.cval[0]), static_cast<Real>(desc.cval[1])};
  }

  // The sum itself; `mass` collects the sum of magnitudes.
  template <class Sum>
  Sum direct(const std::vector<i64>& at, double* mass = nullptr) {
    Sum sum = 0;
    std::vector<i64> from = {at[0], at[1], 0}, tap = {at[1], at[2], 0};
    from.resize(3 + desc.rank);
    tap.resize(3 + desc.rank);
    i64 taps = 1;
    for (int a = 0; a < desc.rank; ++a) taps *= desc.kernel[a];
    for (i64 t = 0; t < taps; ++t) {
      bool outside = false;
      i64 rest = t;
      for (int a = desc.rank - 1; a >= 0; --a) {
        const i64 k = rest % desc.kernel[a];
        rest /= desc.kernel[a];
        const i64 i =
            resolve_index(at[3 + a] * desc.stride[a] + k * desc.dilation[a] - desc.pad_low[a],
                          desc.in_size[a], desc.boundary[a]);
        outside |= i == kOutside;
        from[3 + a] = i;
        tap[3 + a] = desc.flip ? desc.kernel[a] - 1 - k : k;
      }
      const Sum value = outside ? Sum(constant()) : Sum(x[from]);
      sum += product(Sum(w[tap]), value);
      if (mass) *mass += static_cast<double>(std::abs(Sum(w[tap])) * std::abs(value));
    }
    return sum;
  }

  void run(const Kernel& kernel) {
    CHECK(kernel.accepts(desc) == nullptr);
    const std::size_t bytes = kernel.packed_bytes(desc), guarded = (bytes / kAlign + 1) * kAlign;
    char* packed = static_cast<char*>(std::aligned_alloc(kAlign, guarded));
    std::memset(packed, 0x5a, guarded);
    kernel.pack(desc, w.template view<ConstView>(), packed);
    CHECK(std::count(packed + bytes, packed + guarded, 0x5a) ==
          static_cast<std::ptrdiff_t>(guarded - bytes));
    kernel.run({desc, packed, x.template view<ConstView>(), bias.empty() ? nullptr : bias.data(),
                out.template view<View>(), ThreadPool::instance()});
    std::free(packed);
  }

  // Normwise: `ulps` times epsilon times the largest sum of magnitudes.
  void check(const Kernel& kernel, double ulps) {
    run(kernel);
    double worst = 0, largest = 0;
    std::size_t touched = 0;
    out.each([&](const std::vector<i64>& at) {
      double mass = 0;
      const Wide sum = direct<Wide>(at, &mass);
      const double error = static_cast<double>(std::abs(Wide(out[at]) - sum));
      worst = std::max(worst, std::isfinite(error) ? error : INFINITY);
      largest = std::max(largest, mass);
      ++touched;
    });
    CHECK(worst <= ulps * std::numeric_limits<Real>::epsilon() * largest);
    for (const T& value : out.memory) touched += value == T(77);
    CHECK(touched >= out.memory.size());
  }
};

template <class F>
void each_kernel(F&& f) {
  for (const Target& target : targets())
    if (target.supported) f(*find_kernel("overlap_save", target.name));
}

i64 smooth_at_least(i64 n) {
  for (;; ++n) {
    i64 left = n;
    for (i64 p : {2, 3, 5, 7})
      while (left % p == 0) left /= p;
    if (left == 1) return n;
  }
}

Shape random_shape(int rank) {
  static constexpr i64 most[] = {0, 90, 24, 11, 7};
  const std::vector<i64> zeros(rank);
  Shape s(zeros, zeros, zeros);
  for (int a = 0; a < rank; ++a) {
    s.in[a] = draw(1, most[rank]);
    s.kernel[a] = draw(1, most[rank] / 3 + 1);
    s.stride[a] = draw(1, 3);
    s.dilation[a] = draw(1, 3);
    s.boundary[a] = static_cast<Boundary>(draw(0, 4));
    const i64 span = s.dilation[a] * (s.kernel[a] - 1) + 1;
    s.low[a] = draw(-(s.in[a] / 4), span);
    s.high[a] = std::max(draw(-(s.in[a] / 4), span), span - s.in[a] - s.low[a]);
    s.tile[a] = smooth_at_least(span + draw(0, most[rank] / 2));
  }
  s.batch = draw(1, 3);
  s.groups = draw(1, 2);
  s.channels = draw(1, 3);
  s.flip = draw(0, 1);
  s.odd = draw(0, 2) > 0;
  return s;
}

template <class T>
void test_random_problems(const Kernel& kernel) {
  for (int rank = 1; rank <= 4; ++rank)
    for (int trial = 0; trial < 25; ++trial) Problem<T>(random_shape(rank)).check(kernel, 8);
}

// Every size of block, each with a partly filled last one.
template <class T>
void test_tiles(const Kernel& kernel) {
  for (i64 tile = 1; tile <= 160; tile = smooth_at_least(tile + 1)) {
    Shape s({2 * tile + 3}, {(tile + 2) / 3}, {tile});
    s.low = {1};
    s.batch = 2;
    Problem<T>(s).check(kernel, 8);
  }
  Problem<T>(Shape({9000}, {501}, {4096})).check(kernel, 8);
  Problem<T>(Shape({70, 90}, {5, 9}, {60, 64})).check(kernel, 8);
  Problem<T>(Shape({70, 9}, {35, 1}, {64, 1})).check(kernel, 8);
  Problem<T>(Shape({9, 70}, {1, 35}, {1, 64})).check(kernel, 8);
}

// An axis that stands still, and rows that all lanes share.
template <class T>
void test_zero_strides(const Kernel& kernel) {
  for (int axis : {0, 3, 4}) {
    Shape s({20, 33}, {4, 7}, {12, 32});
    s.batch = 3;
    s.boundary = {Boundary::wrap, Boundary::reflect};
    s.low = {3, 5};
    Problem<T> p(s);
    p.x.strides[axis] = 0;
    p.check(kernel, 8);
  }
}

void test_epilogue(const Kernel& kernel) {
  for (int activation = 0; activation <= static_cast<int>(Activation::tanh); ++activation)
    for (bool odd : {false, true}) {
      Shape s({40, 50}, {3, 6}, {16, 32});
      s.channels = 2;
      s.groups = 3;
      s.stride = {1, activation % 2 ? 2 : 1};
      s.odd = odd;
      Problem<float> p(s);
      p.desc.has_bias = true;
      p.desc.activation = static_cast<Activation>(activation);
      p.bias = {0.5f, -1.0f, 2.0f, 0.25f, -0.125f, 3.0f};
      p.run(kernel);
      double worst = 0;
      p.out.each([&](const std::vector<i64>& at) {
        const double v = p.direct<double>(at) + p.bias[at[1] * 2 + at[2]];
        double expected = v;
        const double gate = std::min(std::max(v + 3, 0.0), 6.0) / 6;
        switch (p.desc.activation) {
          case Activation::none:
            break;
          case Activation::relu:
            expected = std::max(v, 0.0);
            break;
          case Activation::relu6:
            expected = std::min(std::max(v, 0.0), 6.0);
            break;
          case Activation::leaky_relu:
            expected = v < 0 ? p.desc.slope * v : v;
            break;
          case Activation::silu:
            expected = v / (1 + std::exp(-v));
            break;
          case Activation::gelu:
            expected = v * std::erfc(-v / std::sqrt(2.0)) / 2;
            break;
          case Activation::gelu_tanh:
            expected = v / 2 *
                       (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (v + 0.044715 * v * v * v)));
            break;
          case Activation::hard_swish:
            expected = v * gate;
            break;
          case Activation::sigmoid:
            expected = 1 / (1 + std::exp(-v));
            break;
          case Activation::tanh:
            expected = std::tanh(v);
            break;
        }
        worst = std::max(worst, std::abs(p.out[at] - expected));
      });
      CHECK(worst < 3e-5);
    }
  Shape s({60}, {7}, {32});
  s.channels = 2;
  Problem<std::complex<float>> p(s);
  p.desc.has_bias = true;
  p.bias = {{1, -2}, {0.5f, 4}};
  p.run(kernel);
  double worst = 0;
  p.out.each([&](const std::vector<i64>& at) {
    const std::complex<double> sum = p.direct<std::complex<double>>(at);
    worst = std::max(worst, std::abs(std::complex<double>(p.out[at] - p.bias[at[2]]) - sum));
  });
  CHECK(worst < 1e-5);
}

// Values that are not finite reach the outputs whose window holds them, and no others.
template <class T>
void test_not_finite(const Kernel& kernel) {
  using Real = typename Traits<T>::Real;
  const Real specials[] = {std::numeric_limits<Real>::quiet_NaN(),
                           std::numeric_limits<Real>::infinity(),
                           -std::numeric_limits<Real>::infinity()};
  for (int trial = 0; trial < 12; ++trial) {
    Shape s({50, 37}, {5, 6}, {16, 20});
    s.batch = s.groups = 2;
    s.channels = trial % 2 + 1;
    s.stride = {1 + trial % 2, 1 + trial % 3};
    s.low = {2, 3};
    s.high = {1, 2};
    s.boundary = {static_cast<Boundary>(trial % 5), static_cast<Boundary>((trial + 2) % 5)};
    Problem<T> p(s);
    constexpr int scalars = sizeof(T) / sizeof(Real);
    for (int spot = 0; spot <= trial % 3; ++spot) {
      T& value = p.x[{draw(0, 1), draw(0, 1), 0, draw(0, 49), draw(0, 36)}];
      reinterpret_cast<Real*>(&value)[draw(0, scalars - 1)] = specials[draw(0, 2)];
    }
    if (trial == 11) p.w[{0, 0, 0, 1, 2}] = T(specials[1]);
    p.run(kernel);
    bool same = true;
    double worst = 0;
    p.out.each([&](const std::vector<i64>& at) {
      const T sum = p.template direct<T>(at);
      if (std::isfinite(std::abs(sum))) worst = std::max<double>(worst, std::abs(sum - p.out[at]));
      for (int part = 0; part < scalars; ++part) {
        const Real a = reinterpret_cast<const Real*>(&sum)[part];
        const Real b = reinterpret_cast<const Real*>(&p.out[at])[part];
        same &= std::isnan(a) == std::isnan(b) && std::isinf(a) == std::isinf(b) &&
                (!std::isinf(a) || a == b);
      }
    });
    CHECK(same);
    CHECK(worst <= 200 * std::numeric_limits<Real>::epsilon());
  }
}

// Relative to the sum of magnitudes in each window.
template <class T>
void check_windows(const Kernel& kernel, Problem<T>& p) {
  p.run(kernel);
  double worst = 0;
  p.out.each([&](const std::vector<i64>& at) {
    double mass = 0;
    const auto sum = p.template direct<typename Traits<T>::Wide>(at, &mass);
    const auto found = typename Traits<T>::Wide(p.out[at]);
    worst = std::max(worst, static_cast<double>(std::abs(found - sum)) / mass);
  });
  CHECK(worst <= 1.0 / 1024);
}

// Small values beside huge ones: within a block, and between the blocks of one lane.
template <class T>
void test_dynamic_range(const Kernel& kernel) {
  using Real = typename Traits<T>::Real;
  const Real eps = std::numeric_limits<Real>::epsilon();
  for (i64 split : {200, 256, 300, 1000}) {
    Shape s({1500}, {41}, {256});
    s.channels = 2;
    Problem<T> p(s);
    for (i64 i = split; i < 1500; ++i) p.x[{0, 0, 0, i}] *= eps * eps;
    check_windows(kernel, p);
  }
  Shape s({50}, {17}, {64});
  s.batch = 9;
  Problem<T> p(s);
  p.x.each([&](const std::vector<i64>& at) {
    if (at[0] % 3 == 1) p.x[at] *= eps * eps;
  });
  check_windows(kernel, p);
  // Near the ends of the range: what direct summation can hold comes out.
  for (int exponent :
       {std::numeric_limits<Real>::max_exponent - 6, std::numeric_limits<Real>::min_exponent - 4,
        std::numeric_limits<Real>::min_exponent + 30}) {
    Problem<T> p(Shape({300}, {30}, {256}));
    p.x.each([&](const std::vector<i64>& at) {
      p.x[at] = (p.x[at] + Real(2)) * std::ldexp(Real(0.5), exponent);
    });
    p.run(kernel);
    long double worst = 0;
    const long double smallest = std::numeric_limits<Real>::denorm_min();
    p.out.each([&](const std::vector<i64>& at) {
      const auto sum = p.template direct<
          std::conditional_t<std::is_same_v<T, Real>, long double, std::complex<long double>>>(at);
      const long double error = std::abs(decltype(sum)(p.out[at]) - sum);
      worst = std::max(worst, error / (std::ldexp(45.0L, exponent) * eps + 2 * smallest));
    });
    CHECK(worst <= 2);
  }
}

// The same bits for any number of threads, special blocks included.
void test_threads(const Kernel& kernel) {
  Shape s({400, 300}, {9, 17}, {32, 64});
  s.batch = 2;
  Problem<float> p(s);
  p.x[{0, 0, 0, 77, 99}] = NAN;
  for (i64 i = 0; i < 50; ++i) p.x[{1, 0, 0, 100 + i, i}] = 1e12f;
  ThreadPool::instance().set_num_threads(1);
  p.run(kernel);
  const std::vector<float> alone = p.out.memory;
  for (int threads : {2, 5}) {
    ThreadPool::instance().set_num_threads(threads);
    p.run(kernel);
    CHECK(std::memcmp(alone.data(), p.out.memory.data(), alone.size() * sizeof(float)) == 0);
  }
  ThreadPool::instance().set_num_threads(0);
}

void test_refusals(const Kernel& kernel) {
  const Desc good = Problem<float>::describe(Shape({20, 30}, {3, 4}, {8, 12}));
  CHECK(!kernel.accepts(good));
  const auto refuses = [&](auto change) {
    Desc d = good;
    change(d);
    const char* reason = kernel.accepts(d);
    CHECK(reason && *reason);
  };
  refuses([](Desc& d) { d.tile[1] = 11; });
  refuses([](Desc& d) { d.tile[0] = 2; });
  refuses([](Desc& d) { d.tile[0] = 0; });
  refuses([](Desc& d) { d.tile[0] = d.tile[1] = i64(1) << 16; });
  refuses([](Desc& d) { d.in_channels = 2; });
  refuses([](Desc& d) { d.in_dilation[1] = 2; });
  refuses([](Desc& d) { d.x_type = DType::u8; });
  refuses([](Desc& d) { d.out_type = DType::f64; });
  refuses([](Desc& d) { d.x_type = d.compute = d.out_type = DType::u32; });
  refuses([](Desc& d) { d.dilation[0] = std::numeric_limits<i64>::max(); });
  refuses([](Desc& d) {
    d.x_type = d.compute = d.out_type = DType::c64;
    d.activation = Activation::relu;
  });
  refuses([](Desc& d) {
    d.in_size[0] = 0;
    d.boundary[0] = Boundary::wrap;
  });
}

void test_empty(const Kernel& kernel) {
  Shape s({0, 5}, {3, 2}, {8, 4});
  s.low = {4, 0};
  Problem<double>(s).check(kernel, 8);
  Problem<double> none(Shape({2, 5}, {3, 2}, {8, 4}));
  CHECK(none.out.memory.empty());
  none.run(kernel);
}

void test_scratch(const Kernel& kernel) {
  Shape s({400, 300}, {9, 17}, {32, 64});
  const Desc one = Problem<float>::describe(s);
  const std::size_t alone = kernel.scratch_bytes(one, 1);
  CHECK(alone >= 32 * 64 * 2 * sizeof(float));
  CHECK(kernel.scratch_bytes(one, 2) <= 2 * alone);
  s.channels = 2;
  CHECK(kernel.scratch_bytes(Problem<float>::describe(s), 1) > alone);
}

template <class T>
void test_type(const Kernel& kernel) {
  test_random_problems<T>(kernel);
  test_tiles<T>(kernel);
  test_zero_strides<T>(kernel);
  test_not_finite<T>(kernel);
  test_dynamic_range<T>(kernel);
}

}  // namespace

int main() {
  each_kernel([](const Kernel& kernel) {
    test_type<float>(kernel);
    test_type<double>(kernel);
    test_type<std::complex<float>>(kernel);
    test_type<std::complex<double>>(kernel);
    test_epilogue(kernel);
    test_threads(kernel);
    test_refusals(kernel);
    test_empty(kernel);
    test_scratch(kernel);
  });
  return test::check_result();
}
