// Box kernels of any size at a constant number of additions per sample.
#include "kernels/box_task.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kWork = 1 << 15;  // outputs that are worth waking another thread

template <class T, int parts>
struct Boxes {
  static std::size_t packed_bytes(const Desc&) { return sizeof(T) * parts; }

  static void pack(const Desc&, const ConstView& w, void* packed) {
    for (int p = 0; p < parts; ++p) static_cast<T*>(packed)[p] = static_cast<const T*>(w.data)[p];
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const BoxPlan<T, parts> plan(d);
    const i64 busy = min_of(threads, d.batch * d.groups * plan.tasks);
    return static_cast<std::size_t>(busy * (plan.line_bytes() + plan.ring_bytes()));
  }

  static void run(const RunArgs& args) {
    BoxPlan<T, parts> plan(args.desc);
    plan.height = height_of<T, parts>(static_cast<const T*>(args.packed));
    const i64 channels = args.desc.batch * args.desc.groups;
    args.pool.parallel_for(
        channels * plan.tasks, [&](i64 task, int) { BoxTask<T, parts>(args, plan, task).run(); },
        channels * outputs_of(args.desc) > kWork);
  }
};

// Calls `f` with the implementation for the type that is computed in.
template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  switch (d.compute) {
    case DType::u32:
      return f(Boxes<std::uint32_t, 1>{});
    case DType::u64:
      return f(Boxes<std::uint64_t, 1>{});
    case DType::f32:
      return f(Boxes<float, 1>{});
    case DType::c64:
      return f(Boxes<float, 2>{});
    case DType::c128:
      return f(Boxes<double, 2>{});
    default:
      return f(Boxes<double, 1>{});
  }
}

const char* accepts(const Desc& d) {
  if (d.in_channels != 1) return "it takes one input channel per group";
  if (d.out_channels != 1) return "it makes one output of each channel";
  if (d.activation != Activation::none && (d.compute == DType::c64 || d.compute == DType::c128))
    return "activations are for real numbers";
  for (int a = 0; a < d.rank; ++a) {
    if (d.in_dilation[a] != 1) return "it takes no input dilation";
    if (d.kernel[a] == 1) continue;
    if (d.stride[a] > d.kernel[a]) return "windows that do not meet have no sums in common";
    if (d.stride[a] > 1 && d.dilation[a] > 1)
      return "it takes no stride and dilation along one axis";
  }
  return check_types(d);
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

extern const Kernel running_sum_kernel;
const Kernel running_sum_kernel = {"running_sum", accepts, packed_bytes, pack,
                                   scratch_bytes, run,     true};

}  // namespace multiconv::MC_TARGET
