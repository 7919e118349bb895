// narrow against sums of all taps, modulo the result's type. Arrays lie in blocks of their own
// size, so that a sanitizer sees any step outside.
#include <cstdint>
#include <random>
#include <vector>

#include "base/boundary.hpp"
#include "registry.hpp"
#include "tests/check.hpp"

using namespace multiconv;

namespace {

std::mt19937 source(7);

i64 draw(i64 low, i64 high) { return std::uniform_int_distribution<i64>(low, high)(source); }

std::size_t size_of(i64 n) { return static_cast<std::size_t>(n); }

Desc draw_problem(DType x_type, DType out_type) {
  Desc d = {};
  d.rank = static_cast<int>(draw(1, 3));
  d.batch = draw(1, 2);
  d.groups = draw(1, 2);
  d.in_channels = 1;
  d.out_channels = draw(1, 2);
  d.x_type = x_type;
  d.out_type = out_type;
  d.compute = DType::u32;
  d.cval_bits = 7;
  d.flip = draw(0, 1) != 0;
  d.has_bias = draw(0, 1) != 0;
  for (int a = 0; a < d.rank; ++a) {
    const bool outer = a < d.rank - 2;
    d.in_size[a] = draw(1, outer ? 3 : draw(0, 1) ? 12 : 150);
    d.kernel[a] = outer ? 1 : draw(1, draw(0, 1) ? 3 : 6);
    d.stride[a] = d.in_dilation[a] = 1;
    d.dilation[a] = outer || draw(0, 2) ? 1 : draw(2, 3);
    d.pad_low[a] = draw(-1, d.kernel[a]);
    d.out_size[a] = draw(1, d.in_size[a] + 3);
    d.boundary[a] = static_cast<Boundary>(draw(0, 4));
  }
  return d;
}

// Row-major strides over all canonical axes; the elements there are.
i64 lay_out(const Desc& d, i64 channels, const i64* spatial, i64* strides) {
  i64 n = 1;
  for (int a = d.rank - 1; a >= 0; --a) {
    strides[3 + a] = n;
    n *= spatial[a];
  }
  strides[2] = n;
  strides[1] = n * channels;
  strides[0] = strides[1] * d.groups;
  return strides[0] * d.batch;
}

template <class S, class Out>
void run_one(const Kernel& kernel, DType x_type, DType out_type, ThreadPool& pool) {
  const Desc d = draw_problem(x_type, out_type);
  if (kernel.accepts(d) != nullptr) return CHECK(false);
  ConstView xv{}, wv{};
  View ov{};
  std::vector<S> x(size_of(lay_out(d, 1, d.in_size, xv.strides)));
  std::vector<Out> out(size_of(lay_out(d, d.out_channels, d.out_size, ov.strides)));
  i64 taps = 1;
  for (int a = 0; a < d.rank; ++a) taps *= d.kernel[a];
  std::vector<std::uint32_t> w(size_of(d.groups * d.out_channels * taps));
  std::vector<std::uint32_t> bias(size_of(d.groups * d.out_channels));
  for (S& v : x) v = static_cast<S>(draw(-40000, 40000));
  const i64 kind = draw(0, 2);  // any taps, an outer product, ones
  for (std::size_t t = 0; t < w.size(); ++t) {
    const i64 column = static_cast<i64>(t) % d.kernel[d.rank - 1];
    const i64 row = static_cast<i64>(t) / d.kernel[d.rank - 1];
    w[t] = static_cast<std::uint32_t>(kind == 0   ? draw(-9, 9)
                                      : kind == 1 ? (row % 3 - 1) * (5 - 3 * column)
                                                  : 1);
  }
  for (std::uint32_t& b : bias) b = static_cast<std::uint32_t>(draw(-1000, 1000));
  i64 step = 1;
  for (int a = d.rank - 1; a >= 0; --a) {
    wv.strides[3 + a] = step;
    step *= d.kernel[a];
  }
  wv.strides[2] = step;
  wv.strides[1] = step;
  wv.strides[0] = step * d.out_channels;
  xv.data = x.data();
  wv.data = w.data();
  ov.data = out.data();
  const std::size_t bytes = kernel.packed_bytes(d);
  std::vector<char> memory(bytes + 64);
  void* packed = memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
  kernel.pack(d, wv, packed);
  kernel.run({d, packed, xv, d.has_bias ? bias.data() : nullptr, ov, pool});

  bool same = true;
  for (std::size_t i = 0; i < out.size(); ++i) {
    i64 at = static_cast<i64>(i), index[kMaxRank];
    for (int a = d.rank - 1; a >= 0; --a) {
      index[a] = at % d.out_size[a];
      at /= d.out_size[a];
    }
    const i64 o = at % d.out_channels, g = at / d.out_channels % d.groups;
    const i64 n = at / d.out_channels / d.groups, filter = g * d.out_channels + o;
    std::uint32_t sum = d.has_bias ? bias[size_of(filter)] : 0;
    for (i64 t = 0; t < taps; ++t) {
      i64 rest = t, from = n * xv.strides[0] + g * xv.strides[1], tap = 0, unit = 1;
      bool outside = false;
      for (int a = d.rank - 1; a >= 0; --a) {
        const i64 k = rest % d.kernel[a];
        rest /= d.kernel[a];
        tap += (d.flip ? d.kernel[a] - 1 - k : k) * unit;
        unit *= d.kernel[a];
        const i64 s =
            resolve_index(index[a] + k * d.dilation[a] - d.pad_low[a], d.in_size[a], d.boundary[a]);
        outside = outside || s == kOutside;
        from += outside ? 0 : s * xv.strides[3 + a];
      }
      const auto value =
          static_cast<std::uint32_t>(static_cast<std::int32_t>(outside ? S(7) : x[size_of(from)]));
      sum += value * w[size_of(filter * taps + tap)];
    }
    same = same && out[i] == static_cast<Out>(sum);
  }
  CHECK(same);
}

}  // namespace

int main() {
  ThreadPool& pool = ThreadPool::instance();
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    const Kernel& kernel = *find_kernel("narrow", target.name);
    for (int round = 0; round < 60; ++round) {
      pool.set_num_threads(1 + round % 3);
      run_one<std::uint8_t, std::int16_t>(kernel, DType::u8, DType::i16, pool);
      run_one<std::uint8_t, std::uint8_t>(kernel, DType::u8, DType::u8, pool);
      run_one<std::int16_t, std::int16_t>(kernel, DType::i16, DType::i16, pool);
      run_one<std::uint16_t, std::int8_t>(kernel, DType::u16, DType::i8, pool);
    }
  }
  return test::check_result();
}
