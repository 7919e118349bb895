// Layers whose channels are planes of pixels: neighbouring pixels in the lanes, output channels
// beside each other, so that each load serves several products and nothing is turned around.
//
// Tiles of the input are gathered into boxes (tile.hpp), whatever the geometry; the sums of a block
// of output channels leave by lines.
#include "kernels/box_sum.hpp"
#include "kernels/compute_type.hpp"
#include "kernels/pixel_block.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kBoxBytes = 192 * 1024;  // of all channels of a tile
inline constexpr i64 kTaskWork = 1 << 18;     // multiply-adds that are worth a task

template <class T>
struct Planar {
  static i64 terms_of(const Desc& d) { return d.in_channels * taps_of(d); }

  static Box box_for(const Desc& d) {
    const auto price = [](i64 vectors) { return vectors + ceil_div(vectors, columns_of(kRows)); };
    return choose_box(d, d.in_channels, kBoxBytes / static_cast<i64>(sizeof(T)),
                      tasks_worth(d, kTaskWork), kLanes<T>, kSlack<T>, price);
  }

  static i64 plane_of(const Box& box) { return box.lines * box.line_pad + kSlack<T>; }

  static std::size_t packed_bytes(const Desc& d) {
    return static_cast<std::size_t>(d.groups * d.out_channels * terms_of(d)) * sizeof(T);
  }

  // [group][block of output channels][input channel][tap][output channel]
  static void pack(const Desc& d, const ConstView& w, void* packed) {
    const T* from = static_cast<const T*>(w.data);
    T* to = static_cast<T*>(packed);
    for (i64 g = 0; g < d.groups; ++g)
      for (i64 o = 0, rows = 0; o < d.out_channels; o += rows) {
        rows = rows_at(d, o);
        for (i64 c = 0; c < d.in_channels; ++c)
          for (i64 tap = 0; tap < taps_of(d); ++tap)
            for (i64 m = 0; m < rows; ++m) *to++ = from[w_element(d, w.strides, g, o + m, c, tap)];
      }
  }

  // Output channels of the block that begins with number o.
  static i64 rows_at(const Desc& d, i64 o) {
    return min_of(ceil_div(d.out_channels, ceil_div(d.out_channels, kRows)), d.out_channels - o);
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const Box box = box_for(d);
    const i64 numbers = d.in_channels * box.volume + kSlack<T> + rows_at(d, 0) * plane_of(box);
    return static_cast<std::size_t>(threads) *
               (static_cast<std::size_t>(numbers) * sizeof(T) + tables_bytes(d, box)) +
           static_cast<std::size_t>(terms_of(d)) * sizeof(i64);
  }

  static void run(const RunArgs& args) {
    const Desc& d = args.desc;
    const Box box = box_for(d);
    const i64 taps = taps_of(d), terms = terms_of(d), plane = plane_of(box);
    i64* offset = static_cast<i64*>(
        thread_scratch(Slot::spectrum, static_cast<std::size_t>(terms) * sizeof(i64)));
    for (i64 i = 0; i < terms; ++i)
      offset[i] = i / taps * box.volume + tap_offset(d, box, i % taps);
    each_box<T, 1>(args, box, is_parallel(d), [&](const BoxTask<T>& task) {
      T* lines = static_cast<T*>(
          thread_scratch(Slot::line, static_cast<std::size_t>(rows_at(d, 0) * plane) * sizeof(T)));
      const T* w = static_cast<const T*>(args.packed) + task.g * d.out_channels * terms;
      for (i64 o = 0, rows = 0; o < d.out_channels; o += rows, w += rows * terms) {
        rows = rows_at(d, o);
        T start[kRows] = {};
        for (i64 m = 0; m < rows; ++m) start[m] = initial<T>(args, task.g * d.out_channels + o + m);
        for (i64 l = 0; l < box.lines; ++l)
          sum_line(box, {task.boxes + line_start(d, box, l), offset, terms}, w, rows,
                   {lines + l * box.line_pad, plane, start});
        for (i64 m = 0; m < rows; ++m)
          Stored<T>{d, box}.write(args, task.g * d.out_channels + o + m, task.size,
                                  lines + m * plane,
                                  place_of(args, task.n, task.g, o + m, task.first));
      }
    });
  }

  static void sum_line(const Box& box, TapPixels<T> x, const T* w, i64 rows, Outputs<T> out) {
    i64 vectors = ceil_div(box.line, kLanes<T>);
    for (i64 left = ceil_div(vectors, columns_of(static_cast<int>(rows))); left > 0; --left) {
      const i64 now = ceil_div(vectors, left);
      pixel_block_of<TapPixels<T>>(rows, now)(x, w, rows, out);
      x.box += now * kLanes<T>;
      out.first += now * kLanes<T>;
      vectors -= now;
    }
  }
};

const char* accepts(const Desc& d) {
  if (d.compute == DType::c64 || d.compute == DType::c128)
    return "it multiplies real numbers and integers only";
  return check_types(d);
}

}  // namespace

extern const Kernel planar_kernel;
const Kernel planar_kernel = OfRealNumbers<Planar>::kernel("planar", accepts, true);

}  // namespace multiconv::MC_TARGET
