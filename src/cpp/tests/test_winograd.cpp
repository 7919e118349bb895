// winograd against the sum that defines it, with values that a transform must not see among them.
// Arrays lie in blocks of their own size, so that a sanitizer sees any step outside.
#include <algorithm>
#include <cmath>
#include <cstdlib>
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

Desc draw_desc(DType type) {
  Desc d = {};
  d.rank = static_cast<int>(draw(1, 3));
  d.batch = draw(1, 2);
  d.groups = draw(1, 2);
  d.in_channels = draw(0, 3) ? draw(1, 20) : draw(60, 140);
  d.out_channels = draw(1, 40);
  const i64 longest[] = {0, 60, 15, 7};
  for (int a = 0; a < d.rank; ++a) {
    d.in_size[a] = draw(1, longest[d.rank]);
    d.out_size[a] = draw(1, longest[d.rank]);
    d.kernel[a] = draw(1, d.rank == 3 ? 3 : 6);
    d.dilation[a] = draw(0, 2) ? 1 : draw(2, 4);
    d.stride[a] = d.in_dilation[a] = 1;
    d.boundary[a] = static_cast<Boundary>(draw(0, 4));
    d.pad_low[a] = draw(-2, 5);
    d.tile[a] = d.kernel[a] == 1 ? 1 : draw(a == 0 ? 1 : 2, 9 - d.kernel[a]);
  }
  d.cval[0] = draw(0, 1) ? 2 : 0;
  d.flip = draw(0, 1);
  d.has_bias = draw(0, 1);
  d.x_type = d.compute = d.out_type = type;
  return d;
}

i64 volume(const i64* size, int rank) {
  i64 n = 1;
  for (int a = 0; a < rank; ++a) n *= size[a];
  return n;
}

// [image][group][channel][spatial], or channels last.
template <class T>
struct Array {
  std::vector<T> memory;
  i64 strides[kMaxDims] = {};

  Array(i64 a, i64 b, i64 c, const i64* size, int rank) {
    const i64 pixels = volume(size, rank);
    memory.resize(static_cast<std::size_t>(a * b * c * pixels));
    const bool last = draw(0, 1);
    i64 step = last ? b * c : 1;
    for (int i = rank - 1; i >= 0; step *= size[i--]) strides[3 + i] = step;
    strides[0] = b * c * pixels;
    strides[1] = last ? c : c * pixels;
    strides[2] = last ? 1 : pixels;
    for (T& v : memory) v = static_cast<T>(draw(-8, 8));
  }

  T& at(i64 a, i64 b, i64 c, const i64* index, int rank) {
    i64 i = a * strides[0] + b * strides[1] + c * strides[2];
    for (int k = 0; k < rank; ++k) i += index[k] * strides[3 + k];
    return memory[static_cast<std::size_t>(i)];
  }

  template <class V>
  V view() {
    V v = {memory.data(), {}};
    std::copy(strides, strides + kMaxDims, v.strides);
    return v;
  }
};

void unravel(i64 number, const i64* sizes, int rank, i64* index) {
  for (int a = rank - 1; a >= 0; --a) {
    index[a] = number % sizes[a];
    number /= sizes[a];
  }
}

template <class T>
void try_layer(const char* target, DType type) {
  const Desc d = draw_desc(type);
  const Kernel* kernel = find_kernel("winograd", target);
  CHECK(kernel != nullptr);
  if (kernel == nullptr || kernel->accepts(d) != nullptr) return;
  Array<T> x(d.batch, d.groups, d.in_channels, d.in_size, d.rank);
  Array<T> w(d.groups, d.out_channels, d.in_channels, d.kernel, d.rank);
  Array<T> out(d.batch, d.groups, d.out_channels, d.out_size, d.rank);
  std::vector<T> bias(static_cast<std::size_t>(d.groups * d.out_channels), T(3));
  if (draw(0, 1))
    for (const T strange : {T(NAN), T(INFINITY), T(1e9)})
      x.memory[static_cast<std::size_t>(draw(0, static_cast<i64>(x.memory.size()) - 1))] = strange;

  const std::size_t bytes = (kernel->packed_bytes(d) + kAlign - 1) / kAlign * kAlign;
  void* packed = std::aligned_alloc(kAlign, bytes);
  kernel->pack(d, w.template view<ConstView>(), packed);
  kernel->run({d, packed, x.template view<ConstView>(), d.has_bias ? bias.data() : nullptr,
               out.template view<View>(), ThreadPool::instance()});
  std::free(packed);

  i64 o[kMaxRank], k[kMaxRank], index[kMaxRank], tap[kMaxRank];
  bool close = true;
  for (i64 n = 0; n < d.batch; ++n)
    for (i64 g = 0; g < d.groups; ++g)
      for (i64 m = 0; m < d.out_channels; ++m)
        for (i64 p = 0; p < volume(d.out_size, d.rank); ++p) {
          unravel(p, d.out_size, d.rank, o);
          double sum = d.has_bias ? 3 : 0, size = 1;
          for (i64 t = 0; t < volume(d.kernel, d.rank); ++t) {
            unravel(t, d.kernel, d.rank, k);
            bool outside = false;
            for (int a = 0; a < d.rank; ++a) {
              tap[a] = d.flip ? d.kernel[a] - 1 - k[a] : k[a];
              index[a] = resolve_index(o[a] + k[a] * d.dilation[a] - d.pad_low[a], d.in_size[a],
                                       d.boundary[a]);
              outside |= index[a] == kOutside;
            }
            for (i64 c = 0; c < d.in_channels; ++c) {
              const double v = outside ? d.cval[0] : x.at(n, g, c, index, d.rank);
              sum += w.at(g, m, c, tap, d.rank) * v;
              size += std::fabs(w.at(g, m, c, tap, d.rank) * v);
            }
          }
          const double found = out.at(n, g, m, o, d.rank);
          // Windows beside larger values keep three digits; others share errors with neighbours.
          close &= std::isfinite(sum) ? std::fabs(found - sum) < 2e-3 * size + 0.05
                   : std::isnan(sum)  ? std::isnan(found)
                                      : found == sum;
        }
  CHECK(close);
}

}  // namespace

int main() {
  for (const Target& t : targets()) {
    if (!t.supported) continue;
    for (int i = 0; i < 40; ++i) {
      try_layer<float>(t.name, DType::f32);
      try_layer<double>(t.name, DType::f64);
    }
  }
  return multiconv::test::check_result();
}
