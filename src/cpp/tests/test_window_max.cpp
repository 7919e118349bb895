// window_max against the largest of all values under each window. Arrays lie in blocks of their own
// size, so that a sanitizer sees any step outside.
#include <limits>
#include <type_traits>

#include "registry.hpp"
#include "tests/check.hpp"
#include "tests/images.hpp"

using namespace multiconv;
using test::draw;
using test::Images;

namespace {

template <class T>
constexpr T least() {
  return std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity()
                                     : std::numeric_limits<T>::min();
}

template <class T>
void run_one(const Kernel& kernel, DType type, ThreadPool& pool) {
  Desc d = {};
  d.rank = 3;
  d.batch = draw(1, 2);
  d.groups = draw(1, 2);
  d.in_channels = d.out_channels = 1;
  d.x_type = d.out_type = type;
  d.compute = std::is_floating_point_v<T> ? type : sizeof(T) == 8 ? DType::u64 : DType::u32;
  for (int a = 0; a < 3; ++a) {
    d.in_size[a] = draw(1, a == 2 ? (draw(0, 1) ? 1 : 20) : draw(0, 3) ? 30 : 400);
    d.kernel[a] = d.stride[a] = d.dilation[a] = d.in_dilation[a] = 1;
    d.out_size[a] = d.in_size[a];
    if (a == 2) continue;
    d.kernel[a] = draw(1, draw(0, 1) ? 4 : 40);
    d.stride[a] = draw(0, 1) ? 1 : draw(2, 4);
    d.dilation[a] = draw(0, 2) ? 1 : draw(2, 3);
    d.pad_low[a] = draw(0, 1) ? 0 : draw(0, d.kernel[a] + 2);
    d.out_size[a] = draw(1, d.in_size[a] / d.stride[a] + 3);
  }
  CHECK(kernel.accepts(d) == nullptr);
  Images<T> x(d.batch, d.groups, d.in_size, static_cast<int>(draw(0, test::kOrders - 1)));
  Images<T> out(d.batch, d.groups, d.out_size, static_cast<int>(draw(0, test::kOrders - 1)));
  if (std::is_floating_point_v<T> && draw(0, 1))
    x.memory[static_cast<std::size_t>(draw(0, static_cast<i64>(x.memory.size()) - 1))] =
        std::numeric_limits<T>::quiet_NaN();
  ConstView from{x.first(), {}};
  View to{out.first(), {}};
  for (int a = 0; a < 6; ++a) {
    from.strides[a] = x.strides[a];
    to.strides[a] = out.strides[a];
  }
  kernel.run({d, nullptr, from, nullptr, to, pool});
  bool same = true;
  for (i64 n = 0; n < d.batch; ++n)
    for (i64 g = 0; g < d.groups; ++g)
      for (i64 r = 0; r < d.out_size[0]; ++r)
        for (i64 c = 0; c < d.out_size[1]; ++c)
          for (i64 i = 0; i < d.out_size[2]; ++i) {
            T want = least<T>();
            for (i64 k = 0; k < d.kernel[0]; ++k)
              for (i64 l = 0; l < d.kernel[1]; ++l) {
                const i64 row = r * d.stride[0] + k * d.dilation[0] - d.pad_low[0];
                const i64 column = c * d.stride[1] + l * d.dilation[1] - d.pad_low[1];
                if (row < 0 || row >= d.in_size[0] || column < 0 || column >= d.in_size[1])
                  continue;
                const T value = x.at(n, g, row, column, i);
                if (value > want || value != value) want = value;
              }
            const T got = out.at(n, g, r, c, i);
            same &= got == want || (got != got && want != want);
          }
  CHECK(same);
}

}  // namespace

int main() {
  ThreadPool& pool = ThreadPool::instance();
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    const Kernel& kernel = *find_kernel("window_max", target.name);
    for (int round = 0; round < 40; ++round) {
      pool.set_num_threads(1 + round % 3);
      run_one<float>(kernel, DType::f32, pool);
      run_one<double>(kernel, DType::f64, pool);
      run_one<std::int8_t>(kernel, DType::i8, pool);
      run_one<std::uint16_t>(kernel, DType::u16, pool);
      run_one<std::int64_t>(kernel, DType::i64, pool);
    }
    Desc d = {};
    d.rank = 2;
    CHECK(kernel.accepts(d) != nullptr);
  }
  return multiconv::test::check_result();
}
