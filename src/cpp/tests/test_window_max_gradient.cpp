// window_max_gradient against a search of every window for the value that it took.
#include <limits>

#include "registry.hpp"
#include "tests/check.hpp"
#include "tests/images.hpp"

using namespace multiconv;
using test::draw;
using test::Images;

namespace {

// Few different values, so that windows have several largest ones; some are NaN or infinite.
template <class T>
void make_ties(Images<T>& data) {
  constexpr T infinite = std::numeric_limits<T>::infinity();
  const T rare[] = {std::numeric_limits<T>::quiet_NaN(), -infinite, infinite};
  const bool all_finite = draw(0, 1) == 0;
  for (T& v : data.memory)
    v = all_finite || draw(0, 9) ? static_cast<T>(draw(-2, 2)) : rare[draw(0, 2)];
}

// Where a pooling's window begins, in the data.
i64 window_start(const Desc& d, int axis, i64 window) {
  const i64 low = (d.kernel[axis] - 1) * d.dilation[axis] - d.pad_low[axis];
  return window * d.in_dilation[axis] - low;
}

// Gives what came for one window to the place that it took.
template <class T>
void give(const Desc& d, Images<T>& data, Images<T>& sums, i64 n, i64 g, const i64* at, T value) {
  i64 winner[3] = {-1, -1, -1};
  T largest = 0;
  for (i64 k = 0; k < d.kernel[0]; ++k)
    for (i64 l = 0; l < d.kernel[1]; ++l)
      for (i64 m = 0; m < d.kernel[2]; ++m) {
        const i64 tap[] = {k, l, m};
        i64 j[3];
        bool inside = true;
        for (int a = 0; a < 3; ++a) {
          j[a] = window_start(d, a, at[a]) + tap[a] * d.dilation[a];
          inside &= j[a] >= 0 && j[a] < d.out_size[a];
        }
        if (!inside) continue;
        const T v = data.at(n, g, j[0], j[1], j[2]);
        if (winner[0] >= 0 && !(v > largest || v != v)) continue;
        largest = v;
        for (int a = 0; a < 3; ++a) winner[a] = j[a];
      }
  if (winner[0] >= 0) sums.at(n, g, winner[0], winner[1], winner[2]) += value;
}

template <class T>
void run_one(const Kernel& kernel, DType type, ThreadPool& pool) {
  Desc d = {};
  d.rank = 3;
  d.batch = draw(1, 2);
  d.groups = draw(0, 3) ? draw(1, 5) : draw(60, 70);
  d.in_channels = d.out_channels = 1;
  d.x_type = d.out_type = d.compute = type;
  d.has_residual = true;
  for (int a = 0; a < 3; ++a) {
    d.kernel[a] = draw(1, a == 1 ? 6 : 3);
    d.in_dilation[a] = draw(0, 1) ? 1 : draw(2, 4);
    d.dilation[a] = draw(0, 2) ? 1 : draw(2, 3);
    d.stride[a] = 1;
    d.pad_low[a] = (d.kernel[a] - 1) * d.dilation[a] - draw(0, d.kernel[a] / 2);
    d.in_size[a] = draw(1, 7);
    d.out_size[a] = draw(1, d.in_size[a] * d.in_dilation[a] + d.kernel[a] + 2);
  }
  if (draw(0, 7) == 0) d.in_size[2] = draw(1000, 1200);
  CHECK(kernel.accepts(d) == nullptr);
  const int order = static_cast<int>(draw(0, test::kOrders - 1));
  Images<T> grad(d.batch, d.groups, d.in_size, order), data(d.batch, d.groups, d.out_size, order);
  Images<T> out(d.batch, d.groups, d.out_size, order), want = out;
  make_ties(data);
  for (T& v : want.memory) v = 0;
  for (i64 n = 0; n < d.batch; ++n)
    for (i64 g = 0; g < d.groups; ++g)
      for (i64 r = 0; r < d.in_size[0]; ++r)
        for (i64 c = 0; c < d.in_size[1]; ++c)
          for (i64 i = 0; i < d.in_size[2]; ++i) {
            const i64 at[] = {r, c, i};
            give(d, data, want, n, g, at, grad.at(n, g, r, c, i));
          }
  ConstView from{grad.first(), {}}, beside{data.first(), {}};
  View to{out.first(), {}};
  for (int a = 0; a < 6; ++a) {
    from.strides[a] = grad.strides[a];
    beside.strides[a] = data.strides[a];
    to.strides[a] = out.strides[a];
  }
  kernel.run({d, nullptr, from, nullptr, to, pool, nullptr, beside});
  bool same = true;
  for (i64 n = 0; n < d.batch; ++n)
    for (i64 g = 0; g < d.groups; ++g)
      for (i64 r = 0; r < d.out_size[0]; ++r)
        for (i64 c = 0; c < d.out_size[1]; ++c)
          for (i64 i = 0; i < d.out_size[2]; ++i)
            same &= out.at(n, g, r, c, i) == want.at(n, g, r, c, i);
  CHECK(same);
}

}  // namespace

int main() {
  ThreadPool& pool = ThreadPool::instance();
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    const Kernel& kernel = *find_kernel("window_max_gradient", target.name);
    for (int round = 0; round < 30; ++round) {
      pool.set_num_threads(1 + round % 3);
      run_one<float>(kernel, DType::f32, pool);
      run_one<double>(kernel, DType::f64, pool);
    }
    Desc d = {};
    d.rank = 2;
    CHECK(kernel.accepts(d) != nullptr);
  }
  return multiconv::test::check_result();
}
