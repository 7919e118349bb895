// gradient against the two slopes by themselves. Arrays lie in blocks of their own size, so that a
// sanitizer sees any step outside.
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "base/boundary.hpp"
#include "registry.hpp"
#include "tests/check.hpp"

using namespace multiconv;

namespace {

std::mt19937 source(9);

i64 draw(i64 low, i64 high) { return std::uniform_int_distribution<i64>(low, high)(source); }

std::size_t size_of(i64 n) { return static_cast<std::size_t>(n); }

template <class S, class T>
void run_one(const Kernel& kernel, DType x_type, DType type, ThreadPool& pool) {
  Desc d = {};
  d.rank = 2;
  d.batch = draw(1, 2);
  d.groups = 1;
  d.in_channels = 2;
  d.out_channels = draw(1, 2);
  d.x_type = x_type;
  d.compute = d.out_type = type;
  d.flip = draw(0, 1) != 0;
  for (int a = 0; a < 2; ++a) {
    d.in_size[a] = draw(1, draw(0, 1) ? 9 : 1500 - 1400 * (a == 0));
    d.kernel[a] = draw(0, 1) ? 3 : draw(1, 7);
    d.stride[a] = d.in_dilation[a] = 1;
    d.dilation[a] = draw(0, 2) ? 1 : 2;
    d.pad_low[a] = draw(0, d.kernel[a]);
    d.out_size[a] = draw(1, d.in_size[a] + 3);
    d.boundary[a] = static_cast<Boundary>(draw(0, 4));
  }
  CHECK(kernel.accepts(d) == nullptr);
  const i64 rows = d.in_size[0], columns = d.in_size[1];
  const i64 taps = d.kernel[0] * d.kernel[1], pixels = d.out_size[0] * d.out_size[1];
  std::vector<S> x(size_of(d.batch * rows * columns));
  std::vector<T> out(size_of(d.batch * d.out_channels * pixels)), w(size_of(2 * taps));
  for (S& v : x) v = static_cast<S>(draw(0, 99));
  std::vector<i64> down(size_of(2 * d.kernel[0])), along(size_of(2 * d.kernel[1]));
  for (i64& v : down) v = draw(-4, 4);
  for (i64& v : along) v = draw(0, 3) ? draw(-1, 1) * 2 : 0;  // whose quotients are exact
  for (i64 t = 0; t < 2 * taps; ++t) {
    const i64 c = t / taps, i = t % taps / d.kernel[1], j = t % d.kernel[1];
    w[size_of(t)] =
        static_cast<T>(down[size_of(c * d.kernel[0] + i)] * along[size_of(c * d.kernel[1] + j)]);
  }
  const ConstView xv{x.data(), {rows * columns, rows * columns, 0, columns, 1}};
  const ConstView wv{w.data(), {0, 0, taps, d.kernel[1], 1}};
  const View ov{out.data(), {d.out_channels * pixels, 0, pixels, d.out_size[1], 1}};
  std::vector<char> memory(kernel.packed_bytes(d) + 64);
  void* packed = memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
  kernel.pack(d, wv, packed);
  kernel.run({d, packed, xv, nullptr, ov, pool});

  bool same = true;
  for (i64 e = 0; e < d.batch * pixels; ++e) {
    const i64 n = e / pixels, r = e % pixels / d.out_size[1], q = e % d.out_size[1];
    double slope[2] = {0, 0};
    for (i64 t = 0; t < taps; ++t) {
      const i64 i = t / d.kernel[1], j = t % d.kernel[1];
      const i64 y = resolve_index(r + i * d.dilation[0] - d.pad_low[0], rows, d.boundary[0]);
      const i64 z = resolve_index(q + j * d.dilation[1] - d.pad_low[1], columns, d.boundary[1]);
      if (y == kOutside || z == kOutside) continue;
      const double value = static_cast<double>(x[size_of((n * rows + y) * columns + z)]);
      for (i64 c = 0; c < 2; ++c)
        slope[c] += value * static_cast<double>(w[size_of(c * taps + (d.flip ? taps - 1 - t : t))]);
    }
    const i64 at = n * d.out_channels * pixels + r * d.out_size[1] + q;
    const double length = std::hypot(slope[0], slope[1]);
    same = same && std::abs(static_cast<double>(out[size_of(at)]) - length) <= 1e-6 * length;
    if (d.out_channels == 1) continue;
    const double angle = std::atan2(0 - slope[0], slope[1]) * 57.295779513082320877;
    same = same && std::abs(static_cast<double>(out[size_of(at + pixels)]) - angle) <= 5e-5;
  }
  CHECK(same);
}

}  // namespace

int main() {
  ThreadPool& pool = ThreadPool::instance();
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    const Kernel& kernel = *find_kernel("gradient", target.name);
    for (int round = 0; round < 40; ++round) {
      pool.set_num_threads(1 + round % 3);
      run_one<float, float>(kernel, DType::f32, DType::f32, pool);
      run_one<double, double>(kernel, DType::f64, DType::f64, pool);
      run_one<std::uint8_t, float>(kernel, DType::u8, DType::f32, pool);
      run_one<std::uint16_t, double>(kernel, DType::u16, DType::f64, pool);
    }
  }
  return test::check_result();
}
