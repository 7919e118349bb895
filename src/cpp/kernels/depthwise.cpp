// Layers whose groups have one input channel: each channel is convolved by itself, with kernels of
// its own. Lanes are neighbouring pixels where these lie side by side in memory, channels where
// those do. Rows of the input are staged in a ring that stays in the first-level cache, and each
// serves all the output rows in registers.
#include "kernels/compute_type.hpp"
#include "kernels/depthwise_in_place.hpp"
#include "kernels/depthwise_pack.hpp"
#include "kernels/depthwise_task.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr double kLargestRing = 4 << 20;

template <class T>
struct Depthwise : DepthwisePack<T> {
  template <bool by_lane>
  static std::size_t scratch(const Desc& d, int threads) {
    const Cut<T, by_lane> cut(d);
    const auto numbers = static_cast<std::size_t>(cut.stage_room(d) + cut.line_room());
    return static_cast<std::size_t>(min_of(threads, cut.tasks(d))) *
           (numbers * sizeof(T) + static_cast<std::size_t>(cut.table_room(d)) * sizeof(i64));
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const std::size_t a = scratch<false>(d, threads), b = scratch<true>(d, threads);
    const auto c = static_cast<std::size_t>(threads * InPlace<T>::room(d)) * sizeof(T);
    const std::size_t most = a > b ? a : b;
    return most > c ? most : c;
  }

  template <bool by_lane>
  static void run_tasks(const RunArgs& args) {
    const Cut<T, by_lane> cut(args.desc);
    each(args, cut.tasks(args.desc), [&](i64 task) { Task<T, by_lane>(args, cut, task).run(); });
  }

  static void run_in_place(const RunArgs& args) {
    const InPlace<T> layer(args);
    each(args, layer.tasks(), [&](i64 task) { layer.run(task); });
  }

  template <class F>
  static void each(const RunArgs& args, i64 tasks, F&& f) {
    args.pool.parallel_for(
        tasks, [&](i64 task, int) { f(task); }, work_of(args.desc) > static_cast<double>(kWork));
  }

  static void run(const RunArgs& args) {
    if constexpr (kShapes<T>)
      if (InPlace<T>::takes(args)) return run_in_place(args);
    if constexpr (kLanes<T> > 1)
      if (channels_are_lanes(args, kLanes<T>)) return run_tasks<true>(args);
    run_tasks<false>(args);
  }
};

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

}  // namespace

extern const Kernel depthwise_kernel;
const Kernel depthwise_kernel = OfRealNumbers<Depthwise>::kernel("depthwise", accepts, true);

}  // namespace multiconv::MC_TARGET
