// Overlap-save: convolution of any rank by Fourier transforms of blocks, one block per vector lane
// (two where the data are real).
#include "kernels/block_pack.hpp"
#include "kernels/block_task.hpp"

namespace multiconv::MC_TARGET {
namespace {

constexpr i64 kSerialElements = 1536;  // of lanes; less is done before another thread wakes

// Calls `f` for the numbers that are computed with.
template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  switch (d.compute) {
    case DType::f32:
      return f(Numbers<float, false>{});
    case DType::c64:
      return f(Numbers<float, true>{});
    case DType::c128:
      return f(Numbers<double, true>{});
    default:
      return f(Numbers<double, false>{});
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
    pack_kernels<typename N::Real, N::scalars>(d, layout, w, static_cast<char*>(packed));
  });
}

// How the blocks are shared out: tasks of as many as the lanes hold, all of one group.
struct Shares {
  i64 blocks, tasks;  // of a group
};

template <class N>
MC_INLINE Shares share(const Desc& d, const Layout& l) {
  const i64 blocks = d.batch * l.positions;
  return {blocks, (blocks + N::blocks - 1) / N::blocks};
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  const Layout layout = layout_of(d);
  return dispatch(d, [&](auto n) {
    using N = decltype(n);
    const i64 tiles = BlockTask<N>::tile_bytes(layout) * (d.out_channels > 1 ? 2 : 1);
    const i64 each = tiles + BlockTask<N>::line_bytes(d, layout) + BlockLeast<N>::bytes(layout);
    const i64 tasks = d.groups * share<N>(d, layout).tasks;
    return static_cast<std::size_t>(each * least(threads, tasks));
  });
}

void run(const RunArgs& args) {
  const Layout layout = layout_of(args.desc);
  dispatch(args.desc, [&](auto n) {
    using N = decltype(n);
    const auto [blocks, tasks] = share<N>(args.desc, layout);
    const i64 all = args.desc.groups * tasks;
    args.pool.parallel_for(
        all,
        [&, blocks = blocks, tasks = tasks](i64 task, int) {
          const i64 first = task % tasks * N::blocks;
          BlockTask<N>(args, layout, task / tasks)
              .run(first, static_cast<int>(least(N::blocks, blocks - first)));
        },
        all * layout.elements > kSerialElements);
  });
}

}  // namespace

extern const Kernel overlap_save_kernel;
const Kernel overlap_save_kernel = {"overlap_save", accepts, packed_bytes, pack,
                                    scratch_bytes,  run,     true};

}  // namespace multiconv::MC_TARGET
