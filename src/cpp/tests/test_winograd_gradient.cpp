// winograd_gradient against the sum that defines it, within rounding: values are small whole
// numbers. Arrays lie in blocks of their own size, so that a sanitizer sees any step outside.
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "registry.hpp"
#include "tests/check.hpp"

using namespace multiconv;

namespace {

std::mt19937 source(17);

i64 draw(i64 low, i64 high) { return std::uniform_int_distribution<i64>(low, high)(source); }

std::size_t size_of(i64 n) { return static_cast<std::size_t>(n); }

// The weight gradient of a layer of images or volumes, perhaps dilated in the plane.
Desc draw_desc(DType type) {
  Desc d = {};
  d.rank = static_cast<int>(draw(2, 3));
  d.groups = draw(1, 2);
  d.in_channels = draw(1, 2);
  d.batch = draw(1, 20);
  d.out_channels = draw(1, 35);
  d.x_type = d.compute = d.out_type = type;
  const i64 side = draw(0, 1) ? 3 : 5;
  for (int a = 0; a < d.rank; ++a) {
    const bool in_plane = a >= d.rank - 2;
    d.in_size[a] = draw(in_plane ? 9 : 1, in_plane ? 24 : 6);
    d.out_size[a] = in_plane ? side : draw(1, 4);
    d.kernel[a] = draw(in_plane ? 8 : 1, d.in_size[a] + 2);
    d.stride[a] = in_plane && draw(0, 1) ? draw(1, 4) : 1;
    d.dilation[a] = d.in_dilation[a] = 1;
    d.pad_low[a] = draw(-1, 3);
    d.boundary[a] = Boundary::constant;
  }
  return d;
}

// An array of three leading axes and the spatial ones, the last of each fastest.
struct Array {
  i64 strides[kMaxDims] = {}, all = 1;

  Array(const i64* leading, const i64* sizes, int rank) {
    for (int a = rank - 1; a >= 0; --a) strides[3 + a] = all, all *= sizes[a];
    for (int a = 2; a >= 0; --a) strides[a] = all, all *= leading[a];
  }

  i64 at(const i64* leading, const i64* place, int rank) const {
    i64 e = 0;
    for (int a = 0; a < 3; ++a) e += leading[a] * strides[a];
    for (int a = 0; a < rank; ++a) e += place[a] * strides[3 + a];
    return e;
  }
};

bool next(i64* index, const i64* sizes, int axes) {
  for (int a = axes - 1; a >= 0; --a) {
    if (++index[a] < sizes[a]) return true;
    index[a] = 0;
  }
  return false;
}

template <class V>
void take_strides(const Array& from, V& view) {
  for (int a = 0; a < kMaxDims; ++a) view.strides[a] = from.strides[a];
}

template <class T>
void run_one(const Kernel& kernel, DType type, ThreadPool& pool) {
  const Desc d = draw_desc(type);
  CHECK(kernel.accepts(d) == nullptr);
  const i64 x_leading[] = {d.batch, d.groups, d.in_channels};
  const i64 grad_leading[] = {d.groups, d.out_channels, d.in_channels};
  const i64 out_leading[] = {d.batch, d.groups, d.out_channels};
  const Array xa(x_leading, d.in_size, d.rank), ga(grad_leading, d.kernel, d.rank);
  const Array oa(out_leading, d.out_size, d.rank);
  std::vector<T> x(size_of(xa.all)), grad(size_of(ga.all)), out(size_of(oa.all));
  for (T& v : x) v = static_cast<T>(draw(-4, 4));
  for (T& v : grad) v = static_cast<T>(draw(-4, 4));
  ConstView xv{x.data(), {}}, gv{grad.data(), {}};
  View ov{out.data(), {}};
  take_strides(xa, xv);
  take_strides(ga, gv);
  take_strides(oa, ov);
  std::vector<char> memory(kernel.packed_bytes(d) + 64);
  void* packed = memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
  kernel.pack(d, gv, packed);
  kernel.run({d, packed, xv, nullptr, ov, pool});

  const double tolerance = sizeof(T) == 4 ? 2e-2 : 1e-9;
  double worst = 0;
  i64 o[3] = {}, tap[kMaxRank] = {};
  do {
    do {
      double sum = 0;
      for (i64 n = 0; n < d.in_channels; ++n) {
        i64 place[kMaxRank] = {};
        do {
          i64 sample[kMaxRank];
          bool inside = true;
          for (int a = 0; a < d.rank; ++a) {
            sample[a] = tap[a] * d.stride[a] + place[a] - d.pad_low[a];
            inside = inside && sample[a] >= 0 && sample[a] < d.in_size[a];
          }
          if (!inside) continue;
          const i64 from[] = {o[0], o[1], n}, by[] = {o[1], o[2], n};
          sum += static_cast<double>(x[size_of(xa.at(from, sample, d.rank))]) *
                 static_cast<double>(grad[size_of(ga.at(by, place, d.rank))]);
        } while (next(place, d.kernel, d.rank));
      }
      const double found = static_cast<double>(out[size_of(oa.at(o, tap, d.rank))]);
      worst = std::fmax(worst, std::fabs(found - sum));
    } while (next(tap, d.out_size, d.rank));
  } while (next(o, out_leading, 3));
  CHECK(worst < tolerance);
}

}  // namespace

int main() {
  ThreadPool& pool = ThreadPool::instance();
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    const Kernel& kernel = *find_kernel("winograd_gradient", target.name);
    for (int round = 0; round < 6; ++round) {
      pool.set_num_threads(1 + round % 3);
      run_one<float>(kernel, DType::f32, pool);
      run_one<double>(kernel, DType::f64, pool);
    }
  }
  return test::check_result();
}
