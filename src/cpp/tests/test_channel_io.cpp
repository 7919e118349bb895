// Boxes of channels read and written, in every order of axes, against elements looked up one by
// one. Arrays lie in blocks of their own size, so that a sanitizer sees any step outside.
#define MC_TARGET channel_io_test
#define MC_VECTOR_BYTES 16
#define MC_REGISTERS 16
#include "kernels/channel_io.hpp"
#include "kernels/epilogue.cpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/check.hpp"

using namespace multiconv;
using namespace multiconv::channel_io_test;

namespace {

std::mt19937 source(7);

i64 draw(i64 low, i64 high) { return std::uniform_int_distribution<i64>(low, high)(source); }

// An array [batch, groups, channels, *spatial] with its axes in any order, some backwards.
template <class T>
struct Array {
  std::vector<T> memory;
  i64 strides[kMaxDims] = {}, origin = 0;

  Array(const std::vector<i64>& sizes) {
    std::vector<std::size_t> order(sizes.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const i64 kind = draw(0, 2);
    if (kind == 1) std::rotate(order.begin() + 2, order.begin() + 3, order.end());
    if (kind == 2) std::shuffle(order.begin(), order.end(), source);
    i64 step = draw(0, 3) ? 1 : 2;
    for (std::size_t i = order.size(); i-- > 0;) {
      const bool back = draw(0, 7) == 0;
      strides[order[i]] = back ? -step : step;
      if (back) origin += step * (sizes[order[i]] - 1);
      step *= sizes[order[i]];
    }
    memory.resize(static_cast<std::size_t>(step));
    for (T& v : memory) v = static_cast<T>(draw(-100, 100));
  }

  T& at(i64 n, i64 g, i64 c, const i64* spatial, int rank) {
    i64 i = origin + n * strides[0] + g * strides[1] + c * strides[2];
    for (int a = 0; a < rank; ++a) i += spatial[a] * strides[3 + a];
    return memory[static_cast<std::size_t>(i)];
  }
};

Desc draw_desc() {
  Desc d = {};
  d.rank = static_cast<int>(draw(1, 3));
  d.batch = draw(1, 2);
  d.groups = draw(1, 2);
  d.in_channels = draw(1, 9);
  d.out_channels = draw(1, 9);
  const i64 longest[] = {0, 40, 12, 6};
  for (int a = 0; a < d.rank; ++a) {
    d.in_size[a] = draw(1, longest[d.rank]);
    d.out_size[a] = draw(1, longest[d.rank]);
    d.kernel[a] = draw(1, 4);
    d.stride[a] = draw(0, 1) ? 1 : draw(1, 5);
    d.dilation[a] = draw(0, 1) ? 1 : draw(1, 3);
    d.in_dilation[a] = draw(0, 4) ? 1 : 2;
    d.boundary[a] = d.in_dilation[a] > 1 ? Boundary::constant : static_cast<Boundary>(draw(0, 4));
    d.pad_low[a] = draw(-2, 4);
  }
  d.cval[0] = 7;
  d.has_bias = draw(0, 1);
  d.has_scale = draw(0, 1);
  d.has_residual = draw(0, 1);
  d.activation = draw(0, 1) ? Activation::relu : Activation::none;
  return d;
}

std::vector<i64> sizes(i64 n, i64 g, i64 c, const i64* spatial, int rank) {
  std::vector<i64> all{n, g, c};
  all.insert(all.end(), spatial, spatial + rank);
  return all;
}

bool next(i64* index, const i64* size, int rank) {
  int a = rank - 1;
  while (a >= 0 && ++index[a] == size[a]) index[a--] = 0;
  return a >= 0;
}

template <class S, class T, class Out>
void round_trip(DType x_type, DType compute, DType out_type) {
  Desc d = draw_desc();
  d.x_type = x_type;
  d.compute = compute;
  d.out_type = out_type;
  Array<S> x(sizes(d.batch, d.groups, d.in_channels, d.in_size, d.rank));
  Array<Out> out(sizes(d.batch, d.groups, d.out_channels, d.out_size, d.rank));
  Array<Out> residual(sizes(d.batch, d.groups, d.out_channels, d.out_size, d.rank));
  std::vector<T> bias(static_cast<std::size_t>(d.groups * d.out_channels)), scale(bias.size());
  for (T& b : bias) b = static_cast<T>(draw(-9, 9));
  for (T& s : scale) s = static_cast<T>(draw(-9, 9));
  RunArgs args = {d,
                  nullptr,
                  {x.memory.data() + x.origin, {}},
                  bias.data(),
                  {out.memory.data() + out.origin, {}},
                  ThreadPool::instance()};
  std::copy(x.strides, x.strides + kMaxDims, args.x.strides);
  std::copy(out.strides, out.strides + kMaxDims, args.out.strides);
  args.scale = scale.data();
  if (d.has_residual) {
    args.residual.data = residual.memory.data() + residual.origin;
    std::copy(residual.strides, residual.strides + kMaxDims, args.residual.strides);
  }
  const ChannelIo<T> io(args);

  Box box = {};
  for (int a = 0; a < d.rank; ++a) box.tile[a] = draw(1, d.out_size[a]);
  measure(d, box, 0);
  std::vector<i64> memory(tables_bytes(d, box) / sizeof(i64) + 1);
  i64 first[kMaxRank], size[kMaxRank];
  tile_origin(d, box, draw(0, box.tiles - 1), first, size);
  Tables tables;
  make_tables(d, box, first, memory.data(), tables);

  constexpr int lanes = kLanes<T>;
  const i64 n = draw(0, d.batch - 1), g = draw(0, d.groups - 1);
  for (i64 c = 0; c < d.in_channels; c += lanes) {
    std::vector<T> read(static_cast<std::size_t>(box.volume * lanes), T(99));
    io.read(box, tables, n, g, c, read.data());
    bool equal = true;
    i64 e[kMaxRank] = {}, index[kMaxRank] = {}, position = 0;
    do {
      bool outside = false, hole = false;
      for (int a = 0; a < d.rank; ++a) {
        const i64 j = (first[a] + e[a] % box.length[a]) * d.stride[a] +
                      phase_start(d, box, a, e[a] / box.length[a]) - d.pad_low[a];
        index[a] = source_of(d, a, j);
        outside |= index[a] == kOutside;
        hole |= index[a] == kHole;
      }
      for (i64 l = 0; l < lanes; ++l) {
        T expected = T(0);
        if (c + l < d.in_channels)
          expected = outside ? T(7)
                     : hole  ? T(0)
                             : static_cast<T>(x.at(n, g, c + l, index, d.rank));
        equal &= read[static_cast<std::size_t>(position * lanes + l)] == expected;
      }
      ++position;
    } while (next(e, box.extent, d.rank));
    CHECK(equal);
  }

  for (i64 o = 0; o < d.out_channels; o += lanes) {
    i64 pitch[kMaxRank], step = 1;
    for (int a = d.rank - 1; a >= 0; --a) {
      pitch[a] = step;
      step *= size[a] + draw(0, 1);
    }
    std::vector<T> sums(static_cast<std::size_t>(step * lanes));
    for (T& v : sums) v = static_cast<T>(draw(-50, 50));
    std::vector<T> before = sums;
    std::vector<Out> expected = out.memory;
    expected.swap(out.memory);
    i64 e[kMaxRank] = {}, index[kMaxRank];
    do {
      i64 position = 0;
      for (int a = 0; a < d.rank; ++a) {
        position += e[a] * pitch[a];
        index[a] = first[a] + e[a];
      }
      for (i64 l = 0; l < lanes && o + l < d.out_channels; ++l) {
        T v = before[static_cast<std::size_t>(position * lanes + l)];
        const auto filter = static_cast<std::size_t>(g * d.out_channels + o + l);
        if (d.has_scale) v *= scale[filter];
        if (d.has_bias) v += bias[filter];
        if (d.has_residual) v += static_cast<T>(residual.at(n, g, o + l, index, d.rank));
        if (d.activation == Activation::relu && v < T(0)) v = T(0);
        out.at(n, g, o + l, index, d.rank) = narrowed<Out>(v);
      }
    } while (next(e, size, d.rank));
    expected.swap(out.memory);
    args.out.data = out.memory.data() + out.origin;
    io.write(n, g, o, first, size, pitch, sums.data());
    CHECK(expected == out.memory);
  }
}

}  // namespace

int main() {
  for (int i = 0; i < 400; ++i) {
    round_trip<float, float, float>(DType::f32, DType::f32, DType::f32);
    round_trip<double, double, double>(DType::f64, DType::f64, DType::f64);
    round_trip<std::int8_t, float, std::int16_t>(DType::i8, DType::f32, DType::i16);
  }
  return multiconv::test::check_result();
}
