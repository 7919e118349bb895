// Stages of a cascade against the same kernels one after the other: the same numbers, whatever the
// rows of a band. Arrays lie in blocks of their own size, so that a sanitizer sees any step
// outside.
#include "base/cascade.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <vector>

#include "registry.hpp"
#include "tests/check.hpp"
#include "tests/images.hpp"

using namespace multiconv;
using test::draw;

namespace {

std::size_t size_of(i64 n) { return static_cast<std::size_t>(n); }

i64 volume(const Desc& d, const i64* size) {
  i64 n = 1;
  for (int a = 0; a < d.rank; ++a) n *= size[a];
  return n;
}

// A layer with channels last and everything that it needs.
template <class T>
struct Layer {
  Desc d = {};
  const Kernel* kernel;
  std::vector<T> out, bias, residual;
  std::vector<char> memory;
  ConstView x = {};
  View to = {};

  // Of what `channels` images of a size are made into.
  Layer(const Target& target, i64 batch, int rank, const i64* size, i64 channels, bool depthwise,
        bool adds) {
    d.rank = rank;
    d.batch = batch;
    d.groups = depthwise ? channels : 1;
    d.in_channels = depthwise ? 1 : channels;
    d.out_channels = depthwise ? draw(1, 2) : draw(1, 40);
    d.has_bias = true;
    d.has_residual = adds;
    d.activation = draw(0, 1) ? Activation::relu : Activation::none;
    d.flip = draw(0, 1) != 0;
    d.x_type = d.compute = d.out_type = sizeof(T) == 4 ? DType::f32 : DType::f64;
    for (int a = 0; a < rank; ++a) {
      d.in_size[a] = size[a];
      d.kernel[a] = draw(0, 2) ? 3 : draw(1, 4);
      d.stride[a] = draw(1, 2);
      d.dilation[a] = draw(0, 3) ? 1 : 2;
      d.in_dilation[a] = 1;
      const i64 window = (d.kernel[a] - 1) * d.dilation[a] + 1;
      d.pad_low[a] = draw(0, window - 1);
      const i64 most = (size[a] - 1 + d.pad_low[a]) / d.stride[a] + 1;  // whose windows touch it
      d.out_size[a] = draw((most + 1) / 2, most);
    }
    kernel = find_kernel(depthwise ? "depthwise" : "gemm", target.name);
    const i64 wide = d.groups * d.out_channels, taps = volume(d, d.kernel);
    std::vector<T> w(size_of(wide * d.in_channels * taps));
    for (T& v : w) v = static_cast<T>(draw(-3, 3));
    ConstView weights{w.data(),
                      {d.out_channels * d.in_channels * taps, d.in_channels * taps, taps}};
    lay(d.kernel, 1, weights.strides);
    memory.resize(kernel->packed_bytes(d) + 64);
    kernel->pack(d, weights, packed());
    out.resize(size_of(batch * volume(d, d.out_size) * wide));
    bias.resize(size_of(wide));
    for (T& v : bias) v = static_cast<T>(draw(-9, 9));
    if (adds) residual.resize(out.size());
    for (T& v : residual) v = static_cast<T>(draw(-9, 9));
    x.strides[0] = volume(d, size) * channels;
    x.strides[1] = d.in_channels;
    x.strides[2] = 1;
    lay(size, channels, x.strides);
    to.strides[0] = volume(d, d.out_size) * wide;
    to.strides[1] = d.out_channels;
    to.strides[2] = 1;
    lay(d.out_size, wide, to.strides);
    to.data = out.data();
  }

  void lay(const i64* size, i64 step, i64* strides) const {
    for (int a = d.rank - 1; a >= 0; --a) {
      strides[3 + a] = step;
      step *= size[a];
    }
  }

  void* packed() {
    return memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
  }

  RunArgs args(ThreadPool& pool) {
    ConstView added{residual.data(), {}};
    for (int a = 0; a < kMaxDims; ++a) added.strides[a] = to.strides[a];
    return {d, packed(), x, bias.data(), to, pool, nullptr, added};
  }
};

template <class T>
void run_one(const Target& target, ThreadPool& pool) {
  const int rank = static_cast<int>(draw(1, 3));
  i64 size[] = {draw(1, 25), draw(1, 9), draw(1, 5)};
  i64 channels = draw(2, 20);
  const i64 batch = draw(1, 3), count = draw(1, 4);
  std::vector<T> x(size_of(batch * channels));
  for (int a = 0; a < rank; ++a) x.resize(x.size() * size_of(size[a]));
  for (T& v : x) v = static_cast<T>(draw(-5, 5));
  std::deque<Layer<T>> layers;
  for (i64 number = 0; number < count; ++number) {
    Layer<T>& l = layers.emplace_back(target, batch, rank, size, channels,
                                      channels > 1 && draw(0, 1), draw(0, 2) == 0);
    l.x.data = number == 0 ? x.data() : layers[size_of(number - 1)].out.data();
    channels = l.d.groups * l.d.out_channels;
    for (int a = 0; a < rank; ++a) size[a] = l.d.out_size[a];
  }
  std::deque<RunArgs> args;
  std::vector<Stage> stages;
  for (Layer<T>& l : layers) {
    args.push_back(l.args(pool));
    stages.push_back({*l.kernel, args.back()});
    l.kernel->run(args.back());
  }
  const std::vector<T> wanted = layers.back().out;
  for (Layer<T>& l : layers) std::fill(l.out.begin(), l.out.end(), T(-77));
  const Cascade cascade(stages, draw(1, 9));
  cascade.run();
  CHECK(layers.back().out == wanted);
  for (i64 number = 0; number + 1 < count; ++number)
    for (const T v : layers[size_of(number)].out) CHECK(v == T(-77));
}

void refusals(const Target& target, ThreadPool& pool) {
  const i64 size[] = {9, 7, 1};
  const std::vector<float> x(9 * 7 * 4);
  Layer<float> a(target, 1, 2, size, 4, false, false);
  a.x.data = x.data();
  Layer<float> b(target, 1, 2, a.d.out_size, a.d.out_channels, false, false);
  const RunArgs first = a.args(pool);
  RunArgs second = b.args(pool);
  CHECK_THROWS(Cascade({}, 1), std::invalid_argument);
  CHECK_THROWS(Cascade({{*a.kernel, first}}, 0), std::invalid_argument);
  CHECK_THROWS(Cascade({{*a.kernel, first}, {*b.kernel, second}}, 2), std::invalid_argument);
  second.x.data = a.out.data();
  Cascade({{*a.kernel, first}, {*b.kernel, second}}, 2).run();
  b.d.boundary[0] = Boundary::edge;
  CHECK_THROWS(Cascade({{*a.kernel, first}, {*b.kernel, second}}, 2), std::invalid_argument);
  b.d.boundary[0] = Boundary::constant;
  b.d.has_residual = true;
  second.residual = {a.out.data(), {}};
  CHECK_THROWS(Cascade({{*a.kernel, first}, {*b.kernel, second}}, 2), std::invalid_argument);
  b.d.has_residual = false;
  b.d.in_size[0] -= 1;
  CHECK_THROWS(Cascade({{*a.kernel, first}, {*b.kernel, second}}, 2), std::invalid_argument);
}

}  // namespace

int main() {
  ThreadPool& pool = ThreadPool::instance();
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    for (int round = 0; round < 150; ++round) {
      pool.set_num_threads(1 + round % 4);
      run_one<float>(target, pool);
      run_one<double>(target, pool);
    }
    refusals(target, pool);
  }
  return test::check_result();
}
