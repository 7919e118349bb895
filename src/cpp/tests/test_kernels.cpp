// Every kernel that any kernel values suit, and those for kernels of equal taps, against the sum
// that defines a convolution: filters, layers, depthwise ones, transposed ones, weight gradients.
// Values are small whole numbers, so that sums are exact; transforms may be off by their rounding.
// Arrays lie in blocks of their own size, so that a sanitizer sees any step outside.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/boundary.hpp"
#include "registry.hpp"
#include "tests/check.hpp"

using namespace multiconv;

namespace {

constexpr int kProblems = 14, kDraws = 4000;  // of a kernel and type, and until they are found

std::mt19937 source(23);

i64 draw(i64 low, i64 high) { return std::uniform_int_distribution<i64>(low, high)(source); }

bool rarely() { return draw(0, 3) == 0; }

std::size_t size_of(i64 n) { return static_cast<std::size_t>(n); }

enum class Family { filter, layer, depthwise, transposed, gradient, count };

void draw_channels(Family family, Desc& d) {
  d.batch = draw(1, 3);
  d.groups = d.in_channels = d.out_channels = 1;
  if (family == Family::layer || family == Family::transposed) {
    d.groups = rarely() ? draw(2, 3) : 1;
    d.in_channels = draw(1, draw(0, 1) ? 4 : 35);
    d.out_channels = draw(1, 40);
  } else if (family == Family::gradient) {
    d.batch = draw(1, 20);
    d.out_channels = draw(1, 35);
    d.groups = rarely() ? draw(2, 18) : 1;
  }
  if (family == Family::depthwise || (family == Family::transposed && draw(0, 1))) {
    d.groups = draw(2, 40);
    d.in_channels = 1;
    d.out_channels = rarely() ? 2 : 1;
  }
}

// False where there would be no output.
bool draw_axis(Family family, int a, Desc& d) {
  d.in_size[a] = draw(1, d.rank == 1 ? 120 : d.rank == 2 ? 24 : 9);
  d.kernel[a] = draw(1, d.rank == 1 ? 12 : 5);
  if (family == Family::gradient) d.kernel[a] = draw(1, d.in_size[a]);
  d.stride[a] = rarely() ? draw(2, 3) : 1;
  d.dilation[a] = rarely() ? draw(2, 3) : 1;
  d.in_dilation[a] = family == Family::transposed ? draw(1, 3) : 1;
  d.pad_low[a] = draw(rarely() ? -1 : 0, d.kernel[a]);
  const bool continued = d.in_dilation[a] == 1 && rarely();
  d.boundary[a] = continued ? static_cast<Boundary>(draw(0, 4)) : Boundary::constant;
  const i64 samples = (d.in_size[a] - 1) * d.in_dilation[a] + 1;
  const i64 room = samples + d.pad_low[a] + draw(0, 2) - (d.kernel[a] - 1) * d.dilation[a] - 1;
  d.out_size[a] = room / d.stride[a] + 1;
  return room >= 0;
}

bool draw_desc(Desc& d) {
  d = {};
  const auto family = static_cast<Family>(draw(0, static_cast<i64>(Family::count) - 1));
  d.rank = static_cast<int>(draw(1, 3));
  draw_channels(family, d);
  bool there = true;
  for (int a = 0; a < d.rank; ++a) there = draw_axis(family, a, d) && there;
  d.flip = rarely();
  d.cval[0] = rarely() ? 2 : 0;
  d.cval_bits = static_cast<std::uint64_t>(d.cval[0]);
  d.has_bias = draw(0, 1);
  d.activation = rarely() ? Activation::relu : Activation::none;
  return there;
}

// An array of three leading axes and the spatial ones; channels first, or innermost.
struct Layout {
  i64 sizes[kMaxDims] = {}, strides[kMaxDims] = {}, all = 1;
  int axes;

  Layout(std::initializer_list<i64> leading, const i64* spatial, int rank, bool channels_last)
      : axes(3 + rank) {
    std::copy(leading.begin(), leading.end(), sizes);
    std::copy(spatial, spatial + rank, sizes + 3);
    if (channels_last) take(2), take(1);
    for (int a = axes - 1; a >= 3; --a) take(a);
    if (!channels_last) take(2), take(1);
    take(0);
  }

  void take(int axis) {
    strides[axis] = all;
    all *= sizes[axis];
  }

  i64 at(const i64* place) const {
    i64 e = 0;
    for (int a = 0; a < axes; ++a) e += place[a] * strides[a];
    return e;
  }

  template <class V>
  void give(V& view) const {
    std::memcpy(view.strides, strides, sizeof(strides));
  }
};

bool next(i64* index, const i64* sizes, int axes) {
  for (int a = axes - 1; a >= 0; --a) {
    if (++index[a] < sizes[a]) return true;
    index[a] = 0;
  }
  return false;
}

// The position that a tap of an output reads, as an element of the axis; or kOutside, or a zero
// between samples.
constexpr i64 kHole = -2;

i64 read_from(const Desc& d, int a, i64 output, i64 tap) {
  const i64 k = d.flip ? d.kernel[a] - 1 - tap : tap;
  const i64 samples = (d.in_size[a] - 1) * d.in_dilation[a] + 1;
  const i64 at = resolve_index(output * d.stride[a] + k * d.dilation[a] - d.pad_low[a], samples,
                               d.boundary[a]);
  if (at == kOutside) return kOutside;
  return at % d.in_dilation[a] ? kHole : at / d.in_dilation[a];
}

template <class T>
struct Data {
  Layout layout;
  std::vector<T> values;

  explicit Data(Layout of) : layout(of), values(size_of(of.all)) {}

  void fill(i64 low, i64 high) {
    for (T& value : values) value = static_cast<T>(draw(low, high));
  }
};

template <class X, class W, class Out>
struct Problem {
  Desc d;
  Data<X> x;
  Data<W> w;
  Data<Out> out, residual;
  std::vector<W> bias;

  Problem(const Desc& desc, bool equal_taps, bool rows)
      : d(desc),
        x(Layout({d.batch, d.groups, d.in_channels}, d.in_size, d.rank, !rows && draw(0, 1))),
        w(Layout({d.groups, d.out_channels, d.in_channels}, d.kernel, d.rank, draw(0, 1))),
        out(Layout({d.batch, d.groups, d.out_channels}, d.out_size, d.rank, draw(0, 1))),
        residual(out),
        bias(size_of(d.groups * d.out_channels)) {
    x.fill(std::is_unsigned_v<X> ? 0 : -4, 4);
    w.fill(-3, 3);
    if (equal_taps) std::fill(w.values.begin(), w.values.end(), W(2));
    residual.fill(0, 5);
    for (W& value : bias) value = static_cast<W>(draw(-5, 5));
  }

  void run(const Kernel& kernel, ThreadPool& pool) {
    ConstView xv{x.values.data(), {}}, wv{w.values.data(), {}}, rv{residual.values.data(), {}};
    View ov{out.values.data(), {}};
    x.layout.give(xv);
    w.layout.give(wv);
    out.layout.give(ov);
    residual.layout.give(rv);
    std::vector<char> memory(kernel.packed_bytes(d) + 64);
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    void* packed = memory.data() + (64 - address % 64) % 64;
    kernel.pack(d, wv, packed);
    CHECK(kernel.scratch_bytes(d, 2) < (std::size_t{1} << 30));
    if (!d.has_residual) rv = {};
    kernel.run({d, packed, xv, d.has_bias ? bias.data() : nullptr, ov, pool, nullptr, rv});
  }

  // What an output should be.
  double defined(const i64* place) const {
    const i64 channel = place[1] * d.out_channels + place[2];
    double sum = d.has_bias ? signed_of(bias[size_of(channel)]) : 0;
    i64 tap[kMaxDims] = {place[1], place[2]};
    for (i64 c = 0; c < d.in_channels; ++c) {
      i64 k[kMaxRank] = {};
      do {
        i64 from[kMaxDims] = {place[0], place[1], c};
        bool outside = false, hole = false;
        for (int a = 0; a < d.rank; ++a) {
          from[3 + a] = read_from(d, a, place[3 + a], k[a]);
          tap[3 + a] = k[a];
          outside = outside || from[3 + a] == kOutside;
          hole = hole || from[3 + a] == kHole;
        }
        if (hole && !outside) continue;
        tap[2] = c;
        const double value =
            outside ? d.cval[0] : static_cast<double>(x.values[size_of(x.layout.at(from))]);
        sum += value * signed_of(w.values[size_of(w.layout.at(tap))]);
      } while (next(k, d.kernel, d.rank));
    }
    if (d.has_residual)
      sum += static_cast<double>(residual.values[size_of(residual.layout.at(place))]);
    return d.activation == Activation::relu && sum < 0 ? 0 : sum;
  }

  static double signed_of(W value) {
    if constexpr (std::is_integral_v<W>)
      return static_cast<std::make_signed_t<W>>(value);
    else
      return static_cast<double>(value);
  }

  double worst() const {
    double found = 0;
    i64 place[kMaxDims] = {};
    do {
      const auto value = static_cast<double>(out.values[size_of(out.layout.at(place))]);
      found = std::fmax(found, std::fabs(value - defined(place)));
    } while (next(place, out.layout.sizes, 3 + d.rank));
    return found;
  }
};

bool is_one_of(const std::string& name, std::initializer_list<const char*> names) {
  for (const char* one : names)
    if (name == one) return true;
  return false;
}

// Those whose problems are no convolutions, or whose blocks only the planner knows; they have tests
// of their own.
bool is_apart(const std::string& name) {
  return is_one_of(name, {"gradient", "overlap_save", "partitioned", "sliding_dct", "window_max",
                          "window_max_gradient", "winograd", "winograd_gradient"});
}

// A size of each axis that a transform takes and that holds a window.
void choose_tile(Desc& d) {
  for (int a = 0; a < d.rank; ++a) {
    const i64 window = (d.kernel[a] - 1) * d.dilation[a] + 1;
    d.tile[a] = 4;
    while (d.tile[a] < window) d.tile[a] *= 2;
  }
}

template <class X, class W, class Out>
void run_all(const Kernel& kernel, DType x_type, DType compute, DType out_type, ThreadPool& pool) {
  const std::string name = kernel.name;
  const bool transforms = name == "fft_tiled";
  const bool boxes = is_one_of(name, {"running_sum", "fused", "steps"});
  int done = 0;
  for (int i = 0; i < kDraws && done < kProblems; ++i) {
    Desc d;
    if (!draw_desc(d)) continue;
    d.x_type = x_type;
    d.compute = compute;
    d.out_type = out_type;
    d.has_residual = kernel.scales_and_adds && rarely();
    if (std::is_integral_v<W>) d.activation = Activation::none;
    if (transforms) choose_tile(d);
    if (kernel.accepts(d)) continue;
    pool.set_num_threads(1 + done % 3);
    Problem<X, W, Out> problem(d, boxes || rarely(), name == "fused");  // which reads rows
    problem.run(kernel, pool);
    const double allowed = !transforms ? 0 : sizeof(W) == 4 ? 2e-2 : 1e-9;
    const double worst = problem.worst();
    if (worst > allowed) std::fprintf(stderr, "%s is off by %g\n", kernel.name, worst);
    CHECK(worst <= allowed);
    ++done;
  }
}

}  // namespace

int main() {
  ThreadPool& pool = ThreadPool::instance();
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    for (int k = 0; k < target.count; ++k) {
      const Kernel& kernel = target.kernels[k];
      if (is_apart(kernel.name)) continue;
      run_all<float, float, float>(kernel, DType::f32, DType::f32, DType::f32, pool);
      run_all<double, double, double>(kernel, DType::f64, DType::f64, DType::f64, pool);
      run_all<std::uint8_t, std::uint32_t, std::int32_t>(kernel, DType::u8, DType::u32, DType::i32,
                                                         pool);
      run_all<std::int8_t, std::uint32_t, std::int32_t>(kernel, DType::i8, DType::u32, DType::i32,
                                                        pool);
    }
  }
  return test::check_result();
}
