// Sliding cosine sums: smoothing at a cost that does not grow with the kernel.
//
// A symmetric kernel of n = 2 r + 1 taps is a sum of cosines of frequencies w = 2 pi k / n, of
// which a smooth one needs few. Under a moving window each cosine's sum obeys
//   s[p + 1] = 2 cos(w) s[p] - s[p - 1] + g (x[p + r + 1] - x[p + r] - x[p - r] + x[p - r - 1]),
// with g = cos(w r) = cos(w (r + 1)). Lines are cut into segments that begin by direct summation,
// one line or segment per lane.
#include <cmath>
#include <limits>

#include "kernels/line_io.hpp"
#include "kernels/line_range.hpp"

namespace multiconv::MC_TARGET {
namespace {

using Sum = Vec<double>;  // of whatever type the data are: rounding grows with the segment
constexpr int kSums = kLanes<double>;
constexpr i64 kMostCosines = 16;
constexpr i64 kSerial = 1 << 14;  // outputs that are done before another thread wakes

// Lines whose windows hold nothing but this share of their largest value are summed directly.
template <class T>
constexpr T kLeastShare = T(0x1p-20);

// The number of cosines that loops are made for.
MC_INLINE i64 padded_cosines(i64 n) { return n <= 8 ? (n + 1) / 2 * 2 : n <= 12 ? 12 : 16; }

// A group's part of the packed kernel, in numbers.
struct Series {
  i64 radius, cosines;
  i64 turn, gain;  // 2 cos(w) and g, per cosine
  i64 wave;        // cosines at the distances 0 to radius from the centre
  i64 taps;        // likewise
  i64 limit;       // magnitudes above it might overflow
  i64 numbers;
};

MC_INLINE Series series_of(const Desc& d) {
  const int a = moving_axis(d);
  Series l = {};
  l.radius = d.kernel[a] / 2;
  l.cosines = padded_cosines(d.tile[a]);
  l.gain = l.turn + l.cosines;
  l.wave = l.gain + l.cosines;
  l.taps = l.wave + (l.radius + 1) * l.cosines;
  l.limit = l.taps + l.radius + 1;
  l.numbers = l.limit + 1;
  return l;
}

const char* accepts(const Desc& d) {
  if (d.compute != DType::f32 && d.compute != DType::f64) return "it computes in real floats";
  if (d.x_type != d.compute || d.out_type != d.compute)
    return "it reads and writes the type it computes in";
  if (d.in_channels != 1 || d.out_channels != 1) return "it takes channels one by one";
  if (d.has_bias || d.activation != Activation::none) return "it adds nothing to its sums";
  const int moving = moving_axis(d);
  for (int a = 0; a < d.rank; ++a) {
    if (d.stride[a] != 1 || d.in_dilation[a] != 1) return "it takes neither stride nor holes";
    if (a == moving) continue;
    if (d.kernel[a] != 1) return "its kernel extends along one axis";
    if (d.pad_low[a] != 0 || d.out_size[a] != d.in_size[a]) return "other axes take no padding";
  }
  if (d.dilation[moving] != 1) return "it takes no dilation";
  if (d.kernel[moving] % 2 == 0) return "its kernel has a middle";
  if (d.tile[moving] < 1 || d.tile[moving] > kMostCosines) return "it takes up to 16 cosines";
  return nullptr;
}

std::size_t packed_bytes(const Desc& d) {
  return static_cast<std::size_t>(d.groups * series_of(d).numbers) * sizeof(double);
}

template <class T>
void pack_group(const Desc& d, const T* from, i64 stride, double* to) {
  const Series l = series_of(d);
  const i64 n = 2 * l.radius + 1;
  double total = 0;
  for (i64 m = 0; m <= l.radius; ++m) {
    to[l.taps + m] = static_cast<double>(from[(l.radius + m) * stride]);
    total += std::fabs(to[l.taps + m]) * (m > 0 ? 2 : 1);
  }
  to[l.limit] = std::numeric_limits<double>::max() / 32 / (total > 1 ? total : 1);
  // From the remainder of k * m, so that large arguments lose nothing.
  const auto wave = [n](i64 k, i64 m) {
    return std::cos(6.283185307179586477 * static_cast<double>(k * m % n) / static_cast<double>(n));
  };
  for (i64 k = 0; k < l.cosines; ++k) {
    const bool used = k < d.tile[moving_axis(d)] && k <= l.radius;
    double share = 0;
    for (i64 m = 0; used && m <= l.radius; ++m)
      share += to[l.taps + m] * wave(k, m) * (m > 0 ? 2 : 1);
    share *= (k > 0 ? 2.0 : 1.0) / static_cast<double>(n);
    to[l.turn + k] = used ? 2 * wave(k, 1) : 0;
    to[l.gain + k] = used ? share * wave(k, l.radius) : 0;
    for (i64 m = 0; m <= l.radius; ++m)
      to[l.wave + m * l.cosines + k] = used ? share * wave(k, m) : 0;
  }
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  const i64 stride = w.strides[3 + moving_axis(d)];
  double* to = static_cast<double*>(packed);
  for (i64 g = 0; g < d.groups; ++g, to += series_of(d).numbers) {
    if (d.compute == DType::f32)
      pack_group(d, static_cast<const float*>(w.data) + g * w.strides[0], stride, to);
    else
      pack_group(d, static_cast<const double*>(w.data) + g * w.strides[0], stride, to);
  }
}

// As many numbers as a vector has sums. A whole vector is read and converted, of which the compiler
// keeps the part that is asked for: it makes two conversions of a part.
template <class T>
MC_INLINE Sum widen(const T* p) {
  if constexpr (kLanes<T> == 1) {
    return Sum{} + static_cast<double>(*p);
  } else {
    typedef double Sums __attribute__((vector_size(sizeof(double) * kLanes<T>)));
    const Sums all = __builtin_convertvector(load(p), Sums);
    Sum sum;
    __builtin_memcpy(&sum, &all, sizeof sum);
    return sum;
  }
}

template <class T>
MC_INLINE void narrow(T* p, Sum sum) {
  if constexpr (kLanes<T> == 1) {
    *p = static_cast<T>(sum);
  } else {
    const auto v =
        __builtin_convertvector(sum, typename VecOf<T, kSums* static_cast<int>(sizeof(T))>::type);
    __builtin_memcpy(p, &v, sizeof v);
  }
}

// `count` outputs of one vector of lanes in place: output j takes the place of the sample before
// its window, which begins at x[(j + 1) * pitch].
template <int cosines, class T>
void slide(const Series& l, const double* packed, T* x, i64 pitch, i64 count) {
  Sum now[cosines] = {}, before[cosines] = {};
  const T* middle = x + (l.radius + 1) * pitch;
  for (i64 m = 0; m <= l.radius; ++m) {
    const T *low = middle - m * pitch, *high = middle + m * pitch;
    Sum pair = widen(low), earlier = widen(low - pitch);
    if (m > 0) {
      pair += widen(high);
      earlier += widen(high - pitch);
    }
    const double* wave = packed + l.wave + m * l.cosines;
#pragma GCC unroll 16
    for (int k = 0; k < cosines; ++k) {
      now[k] += pair * wave[k];
      before[k] += earlier * wave[k];
    }
  }
  const double *turn = packed + l.turn, *gain = packed + l.gain;
  T *left = x, *right = x + (2 * l.radius + 2) * pitch;
  Sum leaves = widen(left), enters = widen(right - pitch);
  const auto emit = [&](const Sum(&sums)[cosines]) {
    Sum total[2] = {sums[0], sums[1]};
#pragma GCC unroll 16
    for (int k = 2; k < cosines; ++k) total[k % 2] += sums[k];
    narrow(left, total[0] + total[1]);
  };
  const auto advance = [&](const Sum(&sums)[cosines], Sum(&to)[cosines]) {
    left += pitch;
    const Sum next_leaves = widen(left), next_enters = widen(right);
    const Sum change = (next_enters - enters) - (next_leaves - leaves);
    right += pitch;
    leaves = next_leaves;
    enters = next_enters;
#pragma GCC unroll 16
    for (int k = 0; k < cosines; ++k) to[k] = sums[k] * turn[k] + (change * gain[k] - to[k]);
  };
  // By twos, so that sums need not change places.
  for (i64 j = 0; j < count; j += 2) {
    emit(now);
    if (j + 1 == count) return;
    advance(now, before);
    emit(before);
    if (j + 2 == count) return;
    advance(before, now);
  }
}

// The same by the definition.
template <class T>
void sum_directly(const Series& l, const double* packed, T* x, i64 pitch, i64 count) {
  constexpr int at_once = 4;
  const double* taps = packed + l.taps;
  for (i64 j = 0; j < count; j += at_once) {
    const int these = static_cast<int>(least(count - j, at_once));
    Sum sum[at_once];
    for (int b = 0; b < these; ++b) {
      const T* middle = x + (j + b + 1 + l.radius) * pitch;
      sum[b] = widen(middle) * taps[0];
      for (i64 m = 1; m <= l.radius; ++m) {
        sum[b] += widen(middle - m * pitch) * taps[m];
        sum[b] += widen(middle + m * pitch) * taps[m];
      }
    }
    for (int b = 0; b < these; ++b) narrow(x + (j + b) * pitch, sum[b]);
  }
}

// Whether the recurrence would blur a line of these lanes: where a value is not finite or might
// overflow, where all are so small that rounding is not relative, or where windows hold little
// beside what the rest of the line holds.
template <class T>
bool must_sum(const Series& l, const double* packed, const T* x, i64 pitch, i64 count) {
  constexpr double tiny = 0x1p-900;
  const i64 taps = 2 * l.radius + 1;
  const LineRange<T> range(x, pitch, count + taps);
  bool narrow = true;
  for (int lane = 0; lane < kLanes<T>; ++lane) {
    const T largest = range.largest(lane);
    if (!(static_cast<double>(largest) <= packed[l.limit])) return true;
    if (largest > 0 && static_cast<double>(largest) < tiny) return true;
    narrow &= !(range.least(lane) < kLeastShare<T> * largest);
  }
  if (narrow) return false;
  const auto bytes = static_cast<std::size_t>(LineRange<T>::bytes(taps));
  T window[kLanes<T>];
  range.least_window(taps, thread_scratch(Slot::spectrum, bytes), window);
  for (int lane = 0; lane < kLanes<T>; ++lane)
    if (window[lane] < kLeastShare<T> * range.largest(lane)) return true;
  return false;
}

template <int cosines, class T>
void convolve(const Series& l, const double* packed, T* x, i64 pitch, i64 count) {
  const bool directly = must_sum(l, packed, x, pitch, count);
  for (i64 lane = 0; lane < kLanes<T>; lane += kSums) {
    if (directly)
      sum_directly(l, packed, x + lane, pitch, count);
    else
      slide<cosines>(l, packed, x + lane, pitch, count);
  }
}

template <class T>
using Convolve = void (*)(const Series&, const double*, T*, i64, i64);

template <class T>
Convolve<T> convolve_with(i64 cosines) {
  switch (cosines) {
    case 2:
      return convolve<2, T>;
    case 4:
      return convolve<4, T>;
    case 6:
      return convolve<6, T>;
    case 8:
      return convolve<8, T>;
    case 12:
      return convolve<12, T>;
    default:
      return convolve<16, T>;
  }
}

template <class T>
struct SlidingDct {
  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const LineIo<T> io(d);
    const i64 each = rounded_up(io.bytes(), static_cast<i64>(kAlign)) + LineIo<T>::row_bytes() +
                     LineRange<T>::bytes(d.kernel[moving_axis(d)]);
    return static_cast<std::size_t>(each * least(threads, d.groups * io.tasks));
  }

  static void run(const RunArgs& args) {
    const Series series = series_of(args.desc);
    const LineIo<T> io(args.desc);
    const Convolve<T> convolve = convolve_with<T>(series.cosines);
    const i64 tasks = args.desc.groups * io.tasks;
    args.pool.parallel_for(
        tasks,
        [&](i64 task, int) {
          T* x = static_cast<T*>(thread_scratch(Slot::tile, static_cast<std::size_t>(io.bytes())));
          T* rows = static_cast<T*>(
              thread_scratch(Slot::line, static_cast<std::size_t>(LineIo<T>::row_bytes())));
          const double* packed =
              static_cast<const double*>(args.packed) + task / io.tasks * series.numbers;
          const typename LineIo<T>::Task lines(io, args, task);
          lines.load(x, rows);
          for (i64 lane = 0; lane < io.width; lane += kLanes<T>)
            convolve(series, packed, x + lane, io.width, lines.count);
          lines.store(x, rows);
        },
        tasks * io.step * io.width > kSerial);
  }
};

// Calls `f` with the implementation for the type that is computed in.
template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  return d.compute == DType::f32 ? f(SlidingDct<float>{}) : f(SlidingDct<double>{});
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  return dispatch(d, [&](auto k) { return k.scratch_bytes(d, threads); });
}

void run(const RunArgs& args) {
  dispatch(args.desc, [&](auto k) { k.run(args); });
}

}  // namespace

extern const Kernel sliding_dct_kernel;
const Kernel sliding_dct_kernel = {"sliding_dct", accepts, packed_bytes, pack, scratch_bytes, run};

}  // namespace multiconv::MC_TARGET
