// Overlap-save: convolution of any rank by Fourier transforms of blocks, one block per vector lane
// (two where the data are real).
#include "kernels/block_pack.hpp"
#include "kernels/block_task.hpp"

namespace multiconv::MC_TARGET {
namespace {

constexpr i64 kSerialElements = 4096;  // of lanes; less is done before another thread wakes

template <class T, bool complex>
struct Numbers {
  using Real = T;
  static constexpr bool is_complex = complex;
  using Task = BlockTask<T, complex>;
};

// Calls `f` for the numbers that are computed with.
template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  switch (d.compute) {
    case DType::f32: return f(Numbers<float, false>{});
    case DType::c64: return f(Numbers<float, true>{});
    case DType::c128: return f(Numbers<double, true>{});
    default: return f(Numbers<double, false>{});
  }
}

const char* accepts(const Desc& d) {
  const bool complex = d.compute == DType::c64 || d.compute == DType::c128;
  if (!complex && d.compute != DType::f32 && d.compute != DType::f64)
    return "it computes in floating point";
  if (d.x_type != d.compute || d.out_type != d.compute)
    return "it reads and writes the type it computes in";
  if (complex && d.activation != Activation::none) return "activations are for real numbers";
  if (d.in_channels != 1) return "it takes one input channel per group";
  for (int a = 0; a < d.rank; ++a) {
    if (d.in_dilation[a] != 1) return "it takes no input dilation";
    if (d.in_size[a] < 1 && d.boundary[a] != Boundary::constant)
      return "an empty axis has no values to continue it with";
  }
  Layout layout = {};
  return make_layout(d, layout);
}

// Of a problem that is accepted.
Layout layout_of(const Desc& d) {
  Layout layout = {};
  make_layout(d, layout);
  return layout;
}

std::size_t packed_bytes(const Desc& d) {
  return static_cast<std::size_t>(layout_of(d).packed_bytes);
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  const Layout layout = layout_of(d);
  dispatch(d, [&](auto n) {
    using N = decltype(n);
    pack_kernels<typename N::Real, N::is_complex ? 2 : 1>(d, layout, w,
                                                          static_cast<char*>(packed));
  });
}

template <class Task>
MC_INLINE i64 count_tasks(const Desc& d, const Layout& l) {
  return d.groups * ((d.batch * l.positions + Task::blocks - 1) / Task::blocks);
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  const Layout layout = layout_of(d);
  return dispatch(d, [&](auto n) {
    using Task = typename decltype(n)::Task;
    const i64 tiles = Task::tile_bytes(layout) * (d.out_channels > 1 ? 2 : 1);
    const i64 each = tiles + Task::line_bytes(d, layout) + Task::sum_bytes(layout);
    return static_cast<std::size_t>(each * least(threads, count_tasks<Task>(d, layout)));
  });
}

void run(const RunArgs& args) {
  const Layout layout = layout_of(args.desc);
  dispatch(args.desc, [&](auto n) {
    using Task = typename decltype(n)::Task;
    const i64 tasks = count_tasks<Task>(args.desc, layout);
    args.pool.parallel_for(
        tasks, [&](i64 task, int) { Task(args, layout).run(task); },
        tasks * layout.elements > kSerialElements);
  });
}

}  // namespace

extern const Kernel overlap_save_kernel;
const Kernel overlap_save_kernel = {"overlap_save", accepts,       packed_bytes,
                                    pack,           scratch_bytes, run};

}  // namespace multiconv::MC_TARGET
