// Layers as a product of matrices that are never made: windows of pixels times output channels.
#include "base/kernel.hpp"
#include "kernels/gemm_by_channels.hpp"
#include "kernels/gemm_by_pixels.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
struct Gemm {
  static std::size_t packed_bytes(const Desc& d) { return panels_bytes<T>(d); }

  static void pack(const Desc& d, const ConstView& w, void* packed) {
    pack_panels(d, w, static_cast<T*>(packed));
  }

  template <class Way>
  static i64 most_scratch(const Desc& d, int threads) {
    const i64 tasks = tasks_for(d, threads);
    return max_of(Way::scratch_bytes(d, Way::cut(d, tasks, threads, true)),
                  Way::scratch_bytes(d, Way::cut(d, tasks, threads, false)));
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    i64 bytes = most_scratch<ByChannels<T>>(d, threads);
    if (is_pointwise(d)) {
      const Desc line = in_line(d);
      bytes = max_of(bytes, most_scratch<ByChannels<T>>(line, threads));
      bytes = max_of(bytes, most_scratch<ByPixels<T>>(line, threads));
    }
    return static_cast<std::size_t>(threads) * static_cast<std::size_t>(bytes);
  }

  static void run(const RunArgs& args) {
    const Desc& d = args.desc;
    const i64 x_step = uniform_step(d, d.in_size, args.x.strides + 3);
    const i64 out_step = uniform_step(d, d.out_size, args.out.strides + 3);
    const i64 residual_step = uniform_step(d, d.out_size, args.residual.strides + 3);
    const bool lines = x_step != 0 && out_step != 0 && (!d.has_residual || residual_step != 0);
    if (!is_pointwise(d) || !lines)
      return share<ByChannels<T>>(args, ByChannels<T>::in_place(args));
    const Desc line = in_line(d);
    RunArgs same = {line,     args.packed, args.x,     args.bias,
                    args.out, args.pool,   args.scale, args.residual};
    same.x.strides[3] = x_step;
    same.out.strides[3] = out_step;
    same.residual.strides[3] = residual_step;
    run_line(same);
  }

  static void run_line(const RunArgs& args) {
    const bool in_place = ByChannels<T>::in_place(args);
    if (!in_place && ByPixels<T>::fits(args.desc))
      share<ByPixels<T>>(args, in_place);
    else
      share<ByChannels<T>>(args, in_place);
  }

  template <class Way>
  static void share(const RunArgs& args, bool in_place) {
    const Desc& d = args.desc;
    const int threads = args.pool.num_threads();
    const Cut cut = Way::cut(d, tasks_for(d, threads), threads, in_place);
    args.pool.parallel_for(
        Task::count(d, cut), [&](i64 number, int) { Way::run(Task(args, cut, number)); },
        work_of(d) > kWork / 4);
  }

  // Whether each output reads the sample at its own place.
  static bool is_pointwise(const Desc& d) {
    for (int a = 0; a < d.rank; ++a)
      if (d.kernel[a] != 1 || d.stride[a] != 1 || d.pad_low[a] != 0 || d.in_dilation[a] != 1 ||
          d.in_size[a] != d.out_size[a])
        return false;
    return true;
  }

  // All pixels as one line.
  static Desc in_line(const Desc& d) {
    Desc line = d;
    line.rank = 1;
    line.in_size[0] = line.out_size[0] = outputs_of(d);
    line.kernel[0] = line.stride[0] = line.dilation[0] = line.in_dilation[0] = 1;
    line.pad_low[0] = 0;
    return line;
  }
};

template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  switch (d.compute) {
    case DType::u32:
      return f(Gemm<std::uint32_t>{});
    case DType::u64:
      return f(Gemm<std::uint64_t>{});
    case DType::f32:
      return f(Gemm<float>{});
    default:
      return f(Gemm<double>{});
  }
}

const char* accepts(const Desc& d) {
  if (d.compute == DType::c64 || d.compute == DType::c128)
    return "it multiplies real numbers and integers only";
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

extern const Kernel gemm_kernel;
const Kernel gemm_kernel = {"gemm", accepts, packed_bytes, pack, scratch_bytes, run, true};

}  // namespace multiconv::MC_TARGET
