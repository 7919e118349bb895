// Implicit matrix product: a block of output channels times a few vectors of pixels is kept in
// registers while the taps of all input channels stream by. The input is never unfolded (im2col):
// each tap is an offset into the gathered box.
// Blocking after Georganas et al., "Anatomy of High-Performance Deep Learning Convolutions", SC'18.
#include "kernels/tile.hpp"

#include "base/kernel.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kRows = MC_REGISTERS >= 32 ? 8 : 4;     // output channels of a block
inline constexpr int kColumns = MC_REGISTERS >= 32 ? 3 : 2;  // vectors of pixels of a block
inline constexpr i64 kBudget = 192 * 1024;  // bytes of the boxes of a channel block
inline constexpr i64 kSums = 128 * 1024;    // bytes of partial sums of a task
inline constexpr i64 kWork = 1 << 18;

template <class T>
constexpr i64 kSlack = kColumns * kLanes<T>;

template <class T, int V>
MC_INLINE void block(const T* box, const i64* offset, const T* w, i64 n, T* sums, i64 pitch) {
  Vec<T> acc[kRows][V];
  for (int m = 0; m < kRows; ++m)
    for (int v = 0; v < V; ++v) acc[m][v] = load(sums + m * pitch + v * kLanes<T>);
  for (i64 k = 0; k < n; ++k, w += kRows) {
    const T* p = box + offset[k];
    Vec<T> x[V];
    for (int v = 0; v < V; ++v) x[v] = load(p + v * kLanes<T>);
    for (int m = 0; m < kRows; ++m) {
      const T wm = w[m];
      for (int v = 0; v < V; ++v) acc[m][v] += x[v] * wm;
    }
  }
  for (int m = 0; m < kRows; ++m)
    for (int v = 0; v < V; ++v) store(sums + m * pitch + v * kLanes<T>, acc[m][v]);
}

template <class T>
void line(const T* box, const i64* offset, const T* w, i64 n, T* sums, i64 pitch, i64 length) {
  i64 q = 0;
  if constexpr (kColumns == 3)
    for (; length - q > 2 * kLanes<T>; q += 3 * kLanes<T>)
      block<T, 3>(box + q, offset, w, n, sums + q, pitch);
  for (; length - q > kLanes<T>; q += 2 * kLanes<T>)
    block<T, 2>(box + q, offset, w, n, sums + q, pitch);
  if (q < length) block<T, 1>(box + q, offset, w, n, sums + q, pitch);
}

// How the work is cut: boxes of pixels, blocks of input channels whose boxes stay in cache, chunks
// of output channels that become tasks of their own where there are too few boxes.
struct Cut {
  Box box;
  i64 inputs;   // channels of a block
  i64 outputs;  // channels of a chunk, a multiple of kRows
  i64 chunks;
};

template <class T>
Cut cut_for(const Desc& d) {
  Cut cut{};
  const i64 budget = kBudget / static_cast<i64>(sizeof(T));
  const i64 tasks = tasks_worth(d, kWork);
  const i64 blocks = ceil_div(d.out_channels, kRows);
  const i64 together = min_of(d.in_channels, 64);
  cut.box = choose_box(d, together, budget, min_of(tasks, 4), kLanes<T>, kSlack<T>,
                       [](i64 vectors) { return vectors; });
  cut.inputs = max_of(min_of(d.in_channels, budget / cut.box.volume), 1);
  const i64 sums = kRows * cut.box.lines * cut.box.line_pad * static_cast<i64>(sizeof(T));
  const i64 most = cut.inputs < d.in_channels ? max_of(kSums / sums, 1) : blocks;
  const i64 chunks = max_of(ceil_div(blocks, most), ceil_div(tasks, cut.box.tiles));
  cut.outputs = ceil_div(blocks, min_of(chunks, blocks)) * kRows;
  cut.chunks = ceil_div(d.out_channels, cut.outputs);
  return cut;
}

template <class T>
struct Gemm {
  static std::size_t packed_bytes(const Desc& d) {
    return static_cast<std::size_t>(d.groups * ceil_div(d.out_channels, kRows) * kRows *
                                    d.in_channels * taps_of(d)) *
           sizeof(T);
  }

  // [group][block of outputs][input channel][tap][kRows]
  static void pack(const Desc& d, const ConstView& w, void* packed) {
    const T* from = static_cast<const T*>(w.data);
    T* to = static_cast<T*>(packed);
    const i64 taps = taps_of(d);
    for (i64 g = 0; g < d.groups; ++g)
      for (i64 b = 0; b < d.out_channels; b += kRows)
        for (i64 c = 0; c < d.in_channels; ++c)
          for (i64 t = 0; t < taps; ++t) {
            const i64 at = w_element(d, w.strides, g, b, c, t);
            for (i64 m = 0; m < kRows; ++m)
              *to++ = b + m < d.out_channels ? from[at + m * w.strides[1]] : T(0);
          }
  }

  static i64 sums_volume(const Desc& d, const Cut& cut) {
    const i64 rows = cut.inputs < d.in_channels ? cut.outputs : kRows;
    return rows * (cut.box.lines * cut.box.line_pad) + kSlack<T>;
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const Cut cut = cut_for<T>(d);
    const std::size_t numbers =
        static_cast<std::size_t>(cut.inputs * cut.box.volume + sums_volume(d, cut)) * sizeof(T);
    return static_cast<std::size_t>(threads) * (numbers + tables_bytes(d, cut.box)) +
           static_cast<std::size_t>(cut.inputs * taps_of(d)) * sizeof(i64);
  }

  static void run(const RunArgs& args) {
    const Desc& d = args.desc;
    const Cut cut = cut_for<T>(d);
    const Box& box = cut.box;
    const i64 taps = taps_of(d), blocks = ceil_div(d.out_channels, kRows);
    i64* offset = static_cast<i64*>(
        thread_scratch(Slot::spectrum, static_cast<std::size_t>(cut.inputs * taps) * sizeof(i64)));
    for (i64 c = 0; c < cut.inputs; ++c)
      for (i64 t = 0; t < taps; ++t) offset[c * taps + t] = c * box.volume + tap_offset(d, box, t);

    const i64 shares = box.tiles * cut.chunks;
    args.pool.parallel_for(
        d.batch * d.groups * shares,
        [&](i64 task, int) {
          const i64 g = task / shares % d.groups, n = task / shares / d.groups;
          const i64 chunk = task % shares / box.tiles;
          i64 first[kMaxRank], size[kMaxRank];
          tile_origin(d, box, task % box.tiles, first, size);
          Tables tables;
          make_tables(d, box, first, thread_scratch(Slot::table, tables_bytes(d, box)), tables);
          const i64 all = cut.inputs * box.volume;
          T* boxes = static_cast<T*>(
              thread_scratch(Slot::tile, static_cast<std::size_t>(all) * sizeof(T)));
          T* sums = static_cast<T*>(thread_scratch(
              Slot::line, static_cast<std::size_t>(sums_volume(d, cut)) * sizeof(T)));
          const Stored<T> stored{d, box};
          const i64 pitch = box.lines * box.line_pad;
          const i64 begin = chunk * cut.outputs, end = min_of(begin + cut.outputs, d.out_channels);
          const bool once = cut.inputs >= d.in_channels;
          const T* w =
              static_cast<const T*>(args.packed) + g * blocks * kRows * d.in_channels * taps;
          const T cval = boundary_value<T>(d, 0);

          for (i64 c0 = 0; c0 < max_of(d.in_channels, 1); c0 += cut.inputs) {
            const i64 inputs = min_of(cut.inputs, d.in_channels - c0);
            for (i64 c = 0; c < inputs; ++c) {
              const i64 at =
                  n * args.x.strides[0] + g * args.x.strides[1] + (c0 + c) * args.x.strides[2];
              T* to = boxes + c * box.volume;
              stored.read(tables, args.x.data, at, args.x.strides + 3, cval, to);
              fill(to + box.volume - kSlack<T>, kSlack<T>, T(0));
            }
            for (i64 o = begin; o < end; o += kRows) {
              T* block_sums = once ? sums : sums + (o - begin) * pitch;
              if (c0 == 0) start(args, g, o, block_sums, pitch);
              const T* block_w = w + (o * d.in_channels + c0 * kRows) * taps;
              for (i64 l = 0; l < box.lines; ++l)
                line(boxes + line_start(d, box, l), offset, block_w, inputs * taps,
                     block_sums + l * box.line_pad, pitch, box.line);
              if (c0 + inputs >= d.in_channels)
                finish(args, stored, n, g, o, first, size, block_sums, pitch);
            }
          }
        },
        work_of(d) > kWork / 4);
  }

  static void start(const RunArgs& args, i64 g, i64 o, T* sums, i64 pitch) {
    const i64 outputs = args.desc.out_channels;
    for (i64 m = 0; m < kRows; ++m)
      fill(sums + m * pitch, pitch, o + m < outputs ? initial<T>(args, g * outputs + o + m) : T(0));
  }

  static void finish(const RunArgs& args, const Stored<T>& stored, i64 n, i64 g, i64 o,
                     const i64* first, const i64* size, T* sums, i64 pitch) {
    const i64 outputs = args.desc.out_channels;
    for (i64 m = 0; m < kRows && o + m < outputs; ++m)
      stored.write(args, g * outputs + o + m, size, sums + m * pitch,
                   place_of(args, n, g, o + m, first));
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
