// Layers whose groups have one input channel: each channel is convolved by itself, with kernels of
// its own. Lanes are neighbouring pixels where these lie side by side in memory, channels where
// those do. Rows of the input are staged in a ring that stays in the first-level cache, and each
// serves all the output rows in registers.
#include "kernels/depthwise_task.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr double kLargestRing = 4 << 20;

template <class T>
struct Depthwise {
  static i64 scalars(const Desc& d) {
    return ceil_div(d.groups * d.out_channels * taps_of(d), kLanes<T>) * kLanes<T>;
  }

  static std::size_t packed_bytes(const Desc& d) {
    const i64 units = ceil_div(d.groups * d.out_channels, kLanes<T>);
    const i64 vectors = kLanes<T> > 1 ? units * taps_of(d) * kLanes<T> : 0;
    return static_cast<std::size_t>(scalars(d) + vectors) * sizeof(T);
  }

  // [channel][tap], and [vector of channels][tap][lane].
  static void pack(const Desc& d, const ConstView& w, void* packed) {
    const T* from = static_cast<const T*>(w.data);
    T* to = static_cast<T*>(packed);
    const i64 taps = taps_of(d), channels = d.groups * d.out_channels;
    for (i64 c = 0; c < channels; ++c)
      for (i64 t = 0; t < taps; ++t)
        to[c * taps + t] =
            from[w_element(d, w.strides, c / d.out_channels, c % d.out_channels, 0, t)];
    if constexpr (kLanes<T> > 1) {
      T* vectors = to + scalars(d);
      for (i64 c = 0; c < channels; c += kLanes<T>)
        for (i64 t = 0; t < taps; ++t)
          for (i64 l = 0; l < kLanes<T>; ++l)
            *vectors++ = c + l < channels ? to[(c + l) * taps + t] : T(0);
    }
  }

  template <bool by_lane>
  static std::size_t scratch(const Desc& d, int threads) {
    const Cut<T, by_lane> cut(d);
    const auto numbers = static_cast<std::size_t>(cut.stage_room(d) + cut.line_room());
    return static_cast<std::size_t>(min_of(threads, cut.tasks(d))) *
           (numbers * sizeof(T) + static_cast<std::size_t>(cut.table_room(d)) * sizeof(i64));
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const std::size_t a = scratch<false>(d, threads), b = scratch<true>(d, threads);
    return a > b ? a : b;
  }

  template <bool by_lane>
  static void run_tasks(const RunArgs& args) {
    const Cut<T, by_lane> cut(args.desc);
    args.pool.parallel_for(
        cut.tasks(args.desc), [&](i64 task, int) { Task<T, by_lane>(args, cut, task).run(); },
        work_of(args.desc) > static_cast<double>(kWork));
  }

  static void run(const RunArgs& args) {
    if constexpr (kLanes<T> > 1)
      if (channels_are_lanes(args, kLanes<T>)) return run_tasks<true>(args);
    run_tasks<false>(args);
  }
};

template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  switch (d.compute) {
    case DType::u32:
      return f(Depthwise<std::uint32_t>{});
    case DType::u64:
      return f(Depthwise<std::uint64_t>{});
    case DType::f32:
      return f(Depthwise<float>{});
    default:
      return f(Depthwise<double>{});
  }
}

const char* accepts(const Desc& d) {
  if (d.compute == DType::c64 || d.compute == DType::c128)
    return "it multiplies real numbers and integers only";
  if (d.in_channels != 1) return "its groups have one input channel";
  if (d.groups < 2) return "it takes several groups";
  double staged = 8.0;
  for (int a = 0; a < d.rank; ++a) {
    if (d.in_dilation[a] != 1) return "it takes no input dilation";
    const double span = static_cast<double>(d.kernel[a]) * static_cast<double>(d.dilation[a]);
    staged *= a < d.rank - 2 ? static_cast<double>(d.kernel[a])
                             : span + static_cast<double>(a < d.rank - 1 ? 0 : 16 * d.stride[a]);
  }
  return staged < kLargestRing ? check_types(d) : "its windows span too much";
}

std::size_t packed_bytes(const Desc& d) {
  return dispatch(d, [&](auto k) { return k.packed_bytes(d); });
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  dispatch(d, [&](auto k) { k.pack(d, w, packed); });
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  return dispatch(d, [&](auto k) { return k.scratch_bytes(d, threads); });
}

void run(const RunArgs& args) {
  dispatch(args.desc, [&](auto k) { k.run(args); });
}

}  // namespace

extern const Kernel depthwise_kernel;
const Kernel depthwise_kernel = {"depthwise",   accepts, packed_bytes, pack,
                                 scratch_bytes, run,     true};

}  // namespace multiconv::MC_TARGET
