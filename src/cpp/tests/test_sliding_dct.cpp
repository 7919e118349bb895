// sliding_dct against the sum that defines it. The kernels are sums of the cosines that it keeps,
// so nothing is left out. Arrays lie in blocks of their own size, so that a sanitizer sees any step
// outside.
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/boundary.hpp"
#include "base/scratch.hpp"
#include "registry.hpp"
#include "tests/check.hpp"

using namespace multiconv;

namespace {

std::mt19937 source(11);

i64 draw(i64 low, i64 high) { return std::uniform_int_distribution<i64>(low, high)(source); }

// [batch, groups, 1, *size], the axes perhaps in another order.
template <class T>
struct Array {
  std::vector<T> memory;
  i64 strides[kMaxDims] = {};

  Array(const i64* size, bool turned) {
    i64 step = 1;
    for (int i = 0; i < 5; ++i) {
      const int a = turned ? i : 4 - i;
      strides[a] = step;
      step *= size[a];
    }
    memory.resize(static_cast<std::size_t>(step));
    for (T& v : memory) v = static_cast<T>(draw(-100, 100)) / 64;
  }

  T& at(const i64* index) {
    i64 i = 0;
    for (int a = 0; a < 5; ++a) i += index[a] * strides[a];
    return memory[static_cast<std::size_t>(i)];
  }
};

template <class T>
void run_one(const Kernel& kernel, DType type, ThreadPool& pool) {
  Desc d = {};
  d.rank = 2;
  d.batch = draw(1, 3);
  d.groups = draw(1, 2);
  d.in_channels = d.out_channels = 1;
  d.x_type = d.compute = d.out_type = type;
  d.cval[0] = 0.5;
  const int axis = static_cast<int>(draw(0, 1));
  for (int a = 0; a < 2; ++a) {
    d.kernel[a] = d.stride[a] = d.dilation[a] = d.in_dilation[a] = 1;
    d.in_size[a] = d.out_size[a] = draw(1, 60);
    d.boundary[a] = static_cast<Boundary>(draw(0, 4));
  }
  d.tile[axis] = draw(1, 16);
  d.kernel[axis] = 2 * draw(1, 40) + 1;
  d.in_size[axis] = draw(1, draw(0, 3) ? 300 : 3000);
  d.pad_low[axis] = draw(-2, d.kernel[axis] + 3);
  d.out_size[axis] = draw(1, d.in_size[axis] + 50);
  CHECK(kernel.accepts(d) == nullptr);

  const i64 n = d.kernel[axis], radius = n / 2;
  std::vector<T> taps(static_cast<std::size_t>(n * d.groups));
  for (i64 g = 0; g < d.groups; ++g)
    for (i64 m = 0; m < n; ++m) {
      double tap = 0;
      for (i64 k = 0; k < d.tile[axis] && k <= radius; ++k)
        tap += std::cos(6.283185307179586 * static_cast<double>(k * (m - radius)) /
                        static_cast<double>(n)) /
               static_cast<double>(k + g + 1);
      taps[static_cast<std::size_t>(g * n + m)] = static_cast<T>(tap);
    }
  ConstView w{taps.data(), {}};
  w.strides[0] = n;
  w.strides[3 + axis] = 1;
  std::vector<double> packed(kernel.packed_bytes(d) / sizeof(double));
  kernel.pack(d, w, packed.data());

  const i64 x_size[] = {d.batch, d.groups, 1, d.in_size[0], d.in_size[1]};
  const i64 out_size[] = {d.batch, d.groups, 1, d.out_size[0], d.out_size[1]};
  Array<T> x(x_size, draw(0, 1)), out(out_size, draw(0, 1));
  const i64 kind = draw(0, 3);
  if (kind < 2)
    x.memory[static_cast<std::size_t>(draw(0, static_cast<i64>(x.memory.size()) - 1))] =
        kind == 0 ? std::numeric_limits<T>::quiet_NaN() : T(1e30);
  ConstView from{x.memory.data(), {}};
  View to{out.memory.data(), {}};
  for (int a = 0; a < 5; ++a) {
    from.strides[a] = x.strides[a];
    to.strides[a] = out.strides[a];
  }
  kernel.run({d, packed.data(), from, nullptr, to, pool});

  double worst = 0;
  bool strange = true;
  i64 o[5] = {};
  for (o[0] = 0; o[0] < d.batch; ++o[0])
    for (o[1] = 0; o[1] < d.groups; ++o[1])
      for (o[3] = 0; o[3] < d.out_size[0]; ++o[3])
        for (o[4] = 0; o[4] < d.out_size[1]; ++o[4]) {
          double sum = 0, size = 1;
          i64 at[] = {o[0], o[1], 0, o[3], o[4]};
          for (i64 m = 0; m < n; ++m) {
            const i64 i =
                resolve_index(o[3 + axis] + m - d.pad_low[axis], d.in_size[axis], d.boundary[axis]);
            at[3 + axis] = i;
            const double value = i == kOutside ? d.cval[0] : static_cast<double>(x.at(at));
            const double tap = static_cast<double>(taps[static_cast<std::size_t>(o[1] * n + m)]);
            sum += value * tap;
            size += std::fabs(value * tap);
          }
          const double got = static_cast<double>(out.at(o));
          strange &= std::isnan(got) == std::isnan(sum);
          const double error = std::fabs(got - sum) / size;
          if (error > worst) worst = error;
        }
  CHECK(strange);
  CHECK(worst < (sizeof(T) == 4 ? 1e-4 : 1e-9));
}

}  // namespace

int main() {
  ThreadPool& pool = ThreadPool::instance();
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    const Kernel& kernel = *find_kernel("sliding_dct", target.name);
    for (int round = 0; round < 60; ++round) {
      pool.set_num_threads(1 + round % 3);
      run_one<float>(kernel, DType::f32, pool);
      run_one<double>(kernel, DType::f64, pool);
    }
  }
  return multiconv::test::check_result();
}
