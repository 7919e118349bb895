// direct, gemm and its words, running_sum and sparse against the sum that defines them, exactly:
// values are small whole numbers. Arrays lie in blocks of their own size, so that a sanitizer sees
// any step outside.
#include <algorithm>
#include <complex>
#include <cstdlib>
#include <random>
#include <string_view>
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

i64 product(const i64* n, int rank) {
  i64 all = 1;
  for (int a = 0; a < rank; ++a) all *= n[a];
  return all;
}

Desc draw_desc(DType x, DType compute, DType out) {
  Desc d = {};
  d.rank = static_cast<int>(draw(1, 4));
  d.batch = draw(1, 2);
  d.groups = draw(1, 2);
  d.in_channels = draw(0, 2) ? draw(1, 5) : 1;
  d.out_channels = draw(0, 2) ? draw(1, 19) : 1;
  const i64 longest[] = {0, 150, 21, 9, 5};
  for (int a = 0; a < d.rank; ++a) {
    d.in_size[a] = draw(1, longest[d.rank]);
    d.kernel[a] = draw(1, d.rank == 1 ? 9 : 4);
    d.stride[a] = draw(0, 1) ? draw(1, 4) : 1;
    d.dilation[a] = draw(0, 1) ? draw(1, 4) : 1;
    d.in_dilation[a] = draw(0, 3) ? 1 : draw(2, 3);
    d.boundary[a] = d.in_dilation[a] > 1 ? Boundary::constant : static_cast<Boundary>(draw(0, 4));
    d.pad_low[a] = draw(-2, 6);
    d.out_size[a] = draw(1, longest[d.rank]);
  }
  d.cval[0] = 3;
  d.cval_bits = 3;
  d.flip = draw(0, 1);
  d.has_bias = draw(0, 1);
  d.x_type = x;
  d.compute = compute;
  d.out_type = out;
  return d;
}

// Large enough for direct's work in place: wide rows, a stride of one, few channels.
Desc draw_large(DType x, DType compute, DType out) {
  Desc d = draw_desc(x, compute, out);
  const i64 sizes[3][3] = {{17000, 0, 0}, {130, 150, 0}, {12, 23, 90}};
  d.rank = static_cast<int>(draw(1, 3));
  d.batch = 1;
  d.in_channels = draw(1, 2);
  d.out_channels = draw(1, 2);
  for (int a = 0; a < d.rank; ++a) {
    d.in_size[a] = sizes[d.rank - 1][a] + draw(0, 40);
    d.kernel[a] = draw(1, a == d.rank - 2 ? 9 : 4);
    d.stride[a] = d.in_dilation[a] = 1;
    d.dilation[a] = draw(0, 2) ? 1 : draw(2, 3);
    d.boundary[a] = static_cast<Boundary>(draw(0, 4));
    d.pad_low[a] = draw(-3, 5);
    d.out_size[a] = d.in_size[a] - draw(-6, 6);
  }
  return d;
}

// What running_sum takes, its windows longer and shorter than vectors, axes and tasks.
Desc draw_box(DType x, DType compute, DType out) {
  Desc d = draw_desc(x, compute, out);
  d.in_channels = d.out_channels = 1;
  const i64 longest[] = {0, 140, 19, 6, 4};
  for (int a = 0; a < d.rank; ++a) {
    if (d.in_dilation[a] > 1) d.boundary[a] = static_cast<Boundary>(draw(0, 4));
    d.in_dilation[a] = 1;
    d.kernel[a] = draw(0, 3) ? draw(1, longest[d.rank]) : 1;
    if (d.stride[a] > 1 && d.dilation[a] > 1) d.dilation[a] = 1;
    d.tile[a] = draw(0, 1) ? draw(1, d.out_size[a] + 1) : 0;
  }
  return d;
}

// An array in the canonical order of axes, perhaps backwards along some.
template <class T>
struct Array {
  std::vector<i64> sizes;
  std::vector<T> memory;
  i64 strides[kMaxDims] = {}, origin = 0;

  Array(i64 a, i64 b, i64 c, const i64* spatial, int rank) : sizes{a, b, c} {
    sizes.insert(sizes.end(), spatial, spatial + rank);
    i64 step = 1;
    for (std::size_t i = sizes.size(); i-- > 0;) {
      const bool back = draw(0, 3) == 0;
      strides[i] = back ? -step : step;
      if (back) origin += step * (sizes[i] - 1);
      step *= sizes[i];
    }
    memory.resize(static_cast<std::size_t>(step));
    for (T& v : memory) v = static_cast<T>(draw(-3, 3));
  }

  const T& at(i64 a, i64 b, i64 c, const i64* spatial) const {
    i64 i = origin + a * strides[0] + b * strides[1] + c * strides[2];
    for (std::size_t s = 3; s < sizes.size(); ++s) i += spatial[s - 3] * strides[s];
    return memory[static_cast<std::size_t>(i)];
  }

  template <class V>
  V view() {
    V v = {memory.data() + origin, {}};
    for (std::size_t i = 0; i < sizes.size(); ++i) v.strides[i] = strides[i];
    return v;
  }
};

void unravel(i64 number, const i64* sizes, int rank, i64* index) {
  for (int a = rank - 1; a >= 0; --a) {
    index[a] = number % sizes[a];
    number /= sizes[a];
  }
}

// What tap k of output o reads: an element (index filled in), or the boundary, or a hole.
enum class Read { element, outside, hole };

Read locate(const Desc& d, const i64* o, const i64* k, i64* index) {
  bool hole = false, outside = false;
  for (int a = 0; a < d.rank; ++a) {
    const i64 j = o[a] * d.stride[a] + k[a] * d.dilation[a] - d.pad_low[a];
    const i64 step = d.in_dilation[a];
    if (step == 1) {
      index[a] = resolve_index(j, d.in_size[a], d.boundary[a]);
      outside |= index[a] == kOutside;
    } else if (j < 0 || j > (d.in_size[a] - 1) * step) {
      outside = true;
    } else {
      hole |= j % step != 0;
      index[a] = j / step;
    }
  }
  return outside ? Read::outside : hole ? Read::hole : Read::element;
}

template <class X, class T, class Out>
void try_kernel(const char* name, const char* target, const Desc& d) {
  const Kernel* kernel = find_kernel(name, target);
  CHECK(kernel != nullptr);
  if (kernel == nullptr || kernel->accepts(d) != nullptr) return;
  Array<X> x(d.batch, d.groups, d.in_channels, d.in_size, d.rank);
  Array<T> w(d.groups, d.out_channels, d.in_channels, d.kernel, d.rank);
  for (T& v : w.memory)
    if (draw(0, 2) == 0) v = T(0);
  Array<Out> out(d.batch, d.groups, d.out_channels, d.out_size, d.rank);
  if (name == std::string_view("running_sum"))
    std::fill(w.memory.begin(), w.memory.end(), w.memory.front());
  std::vector<T> bias(static_cast<std::size_t>(d.groups * d.out_channels));
  for (T& v : bias) v = static_cast<T>(draw(-3, 3));
  const std::size_t bytes = (kernel->packed_bytes(d) + kAlign - 1) / kAlign * kAlign;
  void* packed = std::aligned_alloc(kAlign, bytes);
  kernel->pack(d, w.template view<ConstView>(), packed);
  kernel->run({d, packed, x.template view<ConstView>(), d.has_bias ? bias.data() : nullptr,
               out.template view<View>(), ThreadPool::instance()});
  std::free(packed);

  i64 o[kMaxRank], k[kMaxRank], index[kMaxRank], tap[kMaxRank];
  bool equal = true;
  for (i64 n = 0; n < d.batch; ++n)
    for (i64 g = 0; g < d.groups; ++g)
      for (i64 m = 0; m < d.out_channels; ++m)
        for (i64 p = 0; p < product(d.out_size, d.rank); ++p) {
          unravel(p, d.out_size, d.rank, o);
          T sum = d.has_bias ? bias[static_cast<std::size_t>(g * d.out_channels + m)] : T(0);
          for (i64 t = 0; t < product(d.kernel, d.rank); ++t) {
            unravel(t, d.kernel, d.rank, k);
            const Read read = locate(d, o, k, index);
            if (read == Read::hole) continue;
            for (int a = 0; a < d.rank; ++a) tap[a] = d.flip ? d.kernel[a] - 1 - k[a] : k[a];
            for (i64 c = 0; c < d.in_channels; ++c)
              sum += w.at(g, m, c, tap) * (read == Read::outside
                                               ? static_cast<T>(3)
                                               : static_cast<T>(x.at(n, g, c, index)));
          }
          equal &= out.at(n, g, m, o) == static_cast<Out>(sum);
        }
  CHECK(equal);
}

template <class X, class T, class Out>
void try_types(const char* target, int rounds, DType x, DType compute, DType out) {
  for (int i = 0; i < rounds; ++i) {
    const Desc d = draw_desc(x, compute, out);
    try_kernel<X, T, Out>("direct", target, d);
    for (const char* name : {"gemm", "gemm_pairs", "gemm_quads", "gemm_tiles", "planar"})
      try_kernel<X, T, Out>(name, target, d);
    try_kernel<X, T, Out>("running_sum", target, draw_box(x, compute, out));
    if (i % 2 == 0) try_kernel<X, T, Out>("sparse", target, d);
  }
  for (int i = 0; i < rounds / 8 + 1; ++i) {
    Desc d = draw_large(x, compute, out);
    try_kernel<X, T, Out>("direct", target, d);
    d.in_channels = 1;
    try_kernel<X, T, Out>("sparse", target, d);
  }
}

}  // namespace

int main() {
  for (const Target& t : targets()) {
    if (!t.supported) continue;
    using enum DType;
    try_types<float, float, float>(t.name, 40, f32, f32, f32);
    try_types<double, double, double>(t.name, 20, f64, f64, f64);
    try_types<std::int8_t, std::uint32_t, std::int8_t>(t.name, 10, i8, u32, i8);
    try_types<std::uint8_t, std::uint32_t, std::int16_t>(t.name, 10, u8, u32, i16);
    try_types<std::int16_t, std::uint32_t, std::uint32_t>(t.name, 10, i16, u32, u32);
    try_types<std::int64_t, std::uint64_t, std::int64_t>(t.name, 10, i64, u64, i64);
    try_types<std::complex<float>, std::complex<float>, std::complex<float>>(t.name, 15, c64, c64,
                                                                             c64);
    try_types<std::complex<double>, std::complex<double>, std::complex<double>>(t.name, 10, c128,
                                                                                c128, c128);
  }
  return multiconv::test::check_result();
}
