// panel_sum against the sum that defines it, exactly: values are small whole numbers. Arrays lie in
// blocks of their own size, so that a sanitizer sees any step outside.
#include <cstdint>
#include <random>
#include <vector>

#include "base/boundary.hpp"
#include "registry.hpp"
#include "tests/check.hpp"

using namespace multiconv;

namespace {

std::mt19937 source(11);

i64 draw(i64 low, i64 high) { return std::uniform_int_distribution<i64>(low, high)(source); }

std::size_t size_of(i64 n) { return static_cast<std::size_t>(n); }

// The weight gradient of a layer with channels first; few of them, or many on a single point.
template <class T>
Desc draw_desc(DType type) {
  Desc d = {};
  const bool plain = draw(0, 2) == 0;
  d.rank = 2;
  d.groups = draw(1, 2);
  d.in_channels = draw(1, draw(0, 1) ? 2 : 9);
  d.batch = draw(1, plain ? 70 : 9);
  d.out_channels = draw(1, 40);
  d.x_type = d.compute = d.out_type = type;
  for (int a = 0; a < 2; ++a) {
    d.in_size[a] = draw(1, a == 1 && draw(0, 3) == 0 ? 900 : 20);
    d.in_dilation[a] = 1;
    d.out_size[a] = plain ? 1 : draw(1, 4);
    d.stride[a] = plain ? 1 : draw(1, 3);
    d.dilation[a] = draw(0, 1) ? 1 : draw(1, 3);
    d.pad_low[a] = plain ? 0 : draw(-1, 3);
    d.kernel[a] = plain ? (d.in_size[a] - 1) / d.dilation[a] + 1 : draw(1, d.in_size[a] + 2);
    d.boundary[a] = static_cast<Boundary>(draw(0, 4));
  }
  d.cval[0] = 3;
  return d;
}

// The canonical element [a, b, c, y, z] of an array with these strides.
i64 at(const i64* s, i64 a, i64 b, i64 c, i64 y, i64 z) {
  return a * s[0] + b * s[1] + c * s[2] + y * s[3] + z * s[4];
}

template <class T>
void run_one(const Kernel& kernel, DType type, ThreadPool& pool) {
  const Desc d = draw_desc<T>(type);
  CHECK(kernel.accepts(d) == nullptr);
  const i64 rows = d.in_size[0], wide = d.in_size[1], plane = rows * wide;
  const i64 pixels = d.kernel[0] * d.kernel[1], taps = d.out_size[0] * d.out_size[1];
  const i64 planes = d.groups * d.batch, outputs = d.groups * d.out_channels;
  std::vector<T> x(size_of(d.in_channels * planes * plane));
  std::vector<T> grad(size_of(d.in_channels * outputs * pixels));
  std::vector<T> out(size_of(outputs * d.batch * taps));
  for (T& v : x) v = static_cast<T>(draw(-4, 4));
  for (T& v : grad) v = static_cast<T>(draw(-4, 4));
  const ConstView xv{x.data(), {plane, d.batch * plane, planes * plane, wide, 1}};
  const ConstView gv{grad.data(),
                     {d.out_channels * pixels, pixels, outputs * pixels, d.kernel[1], 1}};
  const i64 all = d.batch * taps;
  const View first{out.data(), {taps, d.out_channels * all, all, d.out_size[1], 1}};
  const View last{
      out.data(),
      {outputs, d.out_channels, 1, d.out_size[1] * d.batch * outputs, d.batch * outputs}};
  const View ov = draw(0, 3) ? first : last;
  std::vector<char> memory(kernel.packed_bytes(d) + 64);
  void* packed = memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
  kernel.pack(d, gv, packed);
  kernel.run({d, packed, xv, nullptr, ov, pool});

  bool same = true;
  for (i64 e = 0; e < outputs * d.batch * taps; ++e) {
    const i64 z = e % d.out_size[1], y = e / d.out_size[1] % d.out_size[0], c = e / taps % d.batch;
    const i64 o = e / all % d.out_channels, g = e / all / d.out_channels;
    double sum = 0;
    for (i64 p = 0; p < d.in_channels * pixels; ++p) {
      const i64 n = p / pixels, i = p % pixels / d.kernel[1], j = p % d.kernel[1];
      const i64 v = y * d.stride[0] + i * d.dilation[0] - d.pad_low[0];
      const i64 u = z * d.stride[1] + j * d.dilation[1] - d.pad_low[1];
      const i64 row = resolve_index(v, rows, d.boundary[0]);
      const i64 column = resolve_index(u, wide, d.boundary[1]);
      const bool inside = row != kOutside && column != kOutside;
      const double value =
          inside ? static_cast<double>(x[size_of(at(xv.strides, c, g, n, row, column))])
                 : d.cval[0];
      sum += value * static_cast<double>(grad[size_of(at(gv.strides, g, o, n, i, j))]);
    }
    same = same && static_cast<double>(out[size_of(at(ov.strides, c, g, o, y, z))]) == sum;
  }
  CHECK(same);
}

}  // namespace

int main() {
  ThreadPool& pool = ThreadPool::instance();
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    const Kernel& kernel = *find_kernel("panel_sum", target.name);
    for (int round = 0; round < 60; ++round) {
      pool.set_num_threads(1 + round % 3);
      run_one<float>(kernel, DType::f32, pool);
      run_one<double>(kernel, DType::f64, pool);
    }
  }
  return test::check_result();
}
