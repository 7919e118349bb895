// The long transform's products, and the kernel against the sum that defines it, on every target
// that this CPU runs.
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
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

std::mt19937 source(3);

i64 draw(i64 low, i64 high) { return std::uniform_int_distribution<i64>(low, high)(source); }

template <class T>
struct Of {
  using Real = T;
  static constexpr DType type = sizeof(T) == 4 ? DType::f32 : DType::f64;
  static T noise() { return std::uniform_real_distribution<T>(-1, 1)(source); }
};

template <class T>
struct Of<std::complex<T>> {
  using Real = T;
  static constexpr DType type = sizeof(T) == 4 ? DType::c64 : DType::c128;
  static std::complex<T> noise() { return {Of<T>::noise(), Of<T>::noise()}; }
};

Desc describe(DType type, i64 length) {
  Desc d = {};
  d.rank = 1;
  d.batch = draw(1, 2);
  d.groups = draw(1, 2);
  d.out_channels = draw(1, 2);
  d.in_channels = 1;
  d.in_size[0] = draw(1, 900);
  d.kernel[0] = draw(1, std::min<i64>(length / 2, 400));
  d.stride[0] = draw(1, 3);
  d.dilation[0] = d.in_dilation[0] = 1;
  d.pad_low[0] = draw(-d.in_size[0], d.kernel[0] + 300);
  d.out_size[0] = draw(1, 900);
  d.boundary[0] = static_cast<Boundary>(draw(0, 4));
  d.cval[0] = draw(0, 1) ? 0.75 : 0;
  d.flip = draw(0, 1) == 1;
  d.x_type = d.compute = d.out_type = type;
  d.tile[0] = length;
  return d;
}

// Vectors are as long as what is in them, so that a sanitizer sees any access beside it.
template <class T>
void check_sums(const Kernel& kernel, i64 length, i64 step) {
  using Real = typename Of<T>::Real;
  using Wide = std::conditional_t<std::is_same_v<T, Real>, long double, std::complex<long double>>;
  const Desc d = describe(Of<T>::type, length);
  CHECK(kernel.accepts(d) == nullptr);
  const i64 images = d.batch * d.groups, kernels = d.groups * d.out_channels;
  const i64 n = d.in_size[0], k = d.kernel[0], m = d.out_size[0];
  std::vector<T> x(images * ((n - 1) * step + 1)), w(kernels * k), out(d.batch * kernels * m);
  for (T& value : x) value = Of<T>::noise();
  for (T& value : w) value = Of<T>::noise();
  const i64 row = (n - 1) * step + 1;
  const ConstView x_view = {x.data(), {d.groups * row, row, 0, step}};
  const ConstView w_view = {w.data(), {d.out_channels * k, k, 0, 1}};
  const View out_view = {out.data(), {kernels * m, d.out_channels * m, m, 1}};
  const std::size_t bytes = kernel.packed_bytes(d);
  void* packed = std::aligned_alloc(kAlign, (bytes + kAlign - 1) / kAlign * kAlign);
  kernel.pack(d, w_view, packed);
  kernel.run({d, packed, x_view, nullptr, out_view, ThreadPool::instance()});
  std::free(packed);

  long double worst = 0, largest = 0;
  for (i64 b = 0; b < d.batch; ++b)
    for (i64 f = 0; f < kernels; ++f)
      for (i64 o = 0; o < m; ++o) {
        Wide sum = 0;
        long double mass = 0;
        for (i64 t = 0; t < k; ++t) {
          const i64 at = resolve_index(o * d.stride[0] - d.pad_low[0] + t, n, d.boundary[0]);
          const i64 line = (b * d.groups + f / d.out_channels) * row;
          const Wide value = at == kOutside ? Wide(d.cval[0]) : Wide(x[line + at * step]);
          const Wide tap = Wide(w[f * k + (d.flip ? k - 1 - t : t)]);
          sum += tap * value;
          mass += std::abs(tap) * std::abs(value);
        }
        worst = std::max(worst, std::abs(sum - Wide(out[(b * kernels + f) * m + o])));
        largest = std::max(largest, mass);
      }
  // Crops may leave less than what other windows hold; a unit stands for those.
  CHECK(worst <= 30 * std::numeric_limits<Real>::epsilon() * std::max(largest, 1.0L));
}

template <class T>
void check_kernel(const Kernel& kernel) {
  const bool complex = !std::is_same_v<T, typename Of<T>::Real>;
  for (i64 units : {1, 2, 3, 5, 7, 12})
    for (int trial = 0; trial < 6; ++trial)
      check_sums<T>(kernel, units * (complex ? 256 : 512), trial % 3 + 1);
}

void check_refusals(const Kernel& kernel) {
  Desc d = describe(DType::f32, 512);
  for (i64 length : {0, 511, 256, 768, 512 * 11, 512 * 17}) {
    d.tile[0] = length;
    CHECK(kernel.accepts(d) != nullptr);
  }
  d.tile[0] = 512;
  d.kernel[0] = 600;
  CHECK(kernel.accepts(d) != nullptr);
  d = describe(DType::f32, 512);
  d.dilation[0] = 2;
  CHECK(kernel.accepts(d) != nullptr);
  d = describe(DType::u32, 512);
  CHECK(kernel.accepts(d) != nullptr);
}

}  // namespace

int main() {
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    const Kernel& kernel = *find_kernel("partitioned", target.name);
    check_kernel<float>(kernel);
    check_kernel<double>(kernel);
    check_kernel<std::complex<float>>(kernel);
    check_kernel<std::complex<double>>(kernel);
    check_refusals(kernel);
  }
  return test::check_result();
}
