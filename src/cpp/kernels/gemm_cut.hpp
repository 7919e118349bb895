// How the work of a layer is cut, and what one task of it needs.
#pragma once

#include "base/kernel.hpp"
#include "kernels/clamp.hpp"
#include "kernels/gemm_pack.hpp"
#include "kernels/gemm_region.hpp"
#include "kernels/uniform_step.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kRegionBytes = 256 * 1024;  // of the input that a tile reads of it
inline constexpr i64 kWork = 1 << 18;            // products that are worth a task
inline constexpr i64 kFewest = 2 * kPixels;      // outputs of a tile that is not cut further

// Tiles of outputs, blocks of input channels, chunks of output channels.
struct Cut {
  Region region;
  i64 inputs;  // channels of a block
  i64 blocks;
  i64 outputs;  // channels of a chunk, whole panels
  i64 chunks;
};

// Where windows are read: a copy of them, or the input itself.
enum class Reads { copy, input };

// Blocks of at most `most` input channels. So many tasks are wanted; output channels are cut only
// for `chunked` of them.
template <class T>
Cut cut_for(const Desc& d, i64 most, i64 tasks, i64 chunked) {
  constexpr i64 size = sizeof(T);
  Cut cut{};
  cut.blocks = ceil_div(d.in_channels, most);
  cut.inputs = min_of(ceil_div(ceil_div(d.in_channels, cut.blocks), 16) * 16, d.in_channels);
  cut.blocks = ceil_div(d.in_channels, cut.inputs);
  const i64 positions = max_of(kRegionBytes / size / cut.inputs, 2 * taps_of(d));
  cut.region = choose_region(d, positions, tasks, kFewest);
  const i64 panels = ceil_div(d.out_channels, kPanel<T>);
  const i64 chunks = min_of(ceil_div(chunked, cut.region.tiles), panels);
  cut.outputs = ceil_div(panels, chunks) * kPanel<T>;
  cut.chunks = ceil_div(d.out_channels, cut.outputs);
  return cut;
}

// Tasks that a group's work is worth; the number of threads changes no sum.
MC_INLINE i64 tasks_for(const Desc& d, int threads) {
  const i64 most = ceil_div(max_of(16, 4 * threads), max_of(d.batch * d.groups, 1));
  const double worth = work_of_group(d) / static_cast<double>(kWork) + 1.0;
  return worth < static_cast<double>(most) ? static_cast<i64>(worth) : most;
}

MC_INLINE bool is_real(DType t) { return t == DType::f32 || t == DType::f64; }

// Whether numbers are stored as they are computed with; integers wrap, so their sign is nothing.
template <class T>
MC_INLINE bool stored_as(DType t) {
  if (is_float<T>) return is_real(t);
  return bytes_of_integer(t) == static_cast<int>(sizeof(T));
}

template <class T>
T* take_scratch(Slot slot, i64 numbers) {
  return static_cast<T*>(thread_scratch(slot, static_cast<std::size_t>(numbers) * sizeof(T)));
}

// Whether sums are made where results lie, activations aside that registers do not do. A residual
// that lies as they do is what they begin with.
template <class T>
MC_INLINE bool leave_as_results(const RunArgs& args) {
  const Desc& d = args.desc;
  if (!stored_as<T>(d.out_type) || d.has_scale) return false;
  for (int a = 2; a < d.rank + 3 && d.has_residual; ++a)
    if (args.residual.strides[a] != args.out.strides[a]) return false;
  return d.activation == Activation::none || is_float<T>;
}

// Outputs [begin, end) of the channels of one group, for a tile of one image.
struct Task {
  const RunArgs& args;
  const Cut& cut;
  Region region;  // of the tile: as the cut's, or smaller at the end
  i64 n, g, begin, end;
  i64 first[kMaxRank];
  i64 x_at;  // elements before the group's first channel
  At at;     // before the tile's first output

  Task(const RunArgs& args, const Cut& cut, i64 number) : args(args), cut(cut), region(cut.region) {
    const Desc& d = args.desc;
    begin = number % cut.chunks * cut.outputs;
    end = min_of(begin + cut.outputs, d.out_channels);
    number /= cut.chunks;
    region_origin(d, cut.region, number % cut.region.tiles, first, region.tile);
    measure_region(d, region);
    number /= cut.region.tiles;
    g = number % d.groups;
    n = number / d.groups;
    x_at = n * args.x.strides[0] + g * args.x.strides[1];
    at = start_of(args, n, g, 0);
    for (int a = 0; a < d.rank; ++a) at += first[a] * step_of(args, 3 + a);
  }

  static i64 count(const Desc& d, const Cut& cut) {
    return d.batch * d.groups * cut.region.tiles * cut.chunks;
  }

  // The output channel counted over all groups.
  i64 channel(i64 o) const { return g * args.desc.out_channels + o; }

  // Where tile and array agree so that sums may be made in the output itself, the step between
  // outputs; else 0.
  template <class T>
  i64 straight() const {
    if (!leave_as_results<T>(args)) return 0;
    return uniform_step(args.desc, region.tile, args.out.strides + 3);
  }

  // Where the residual of the tile's first output lies, so many elements on; null where none is.
  template <class T>
  const T* residual(i64 more) const {
    if (!args.desc.has_residual) return nullptr;
    return static_cast<const T*>(args.residual.data) + at.residual + more;
  }
};

}  // namespace
}  // namespace multiconv::MC_TARGET
