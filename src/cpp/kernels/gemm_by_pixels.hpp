// Pixels in the lanes, output channels beside each other: windows of one sample, where neighbouring
// pixels are neighbours in memory and nothing has to be turned around.
#pragma once

#include "kernels/gemm_cut.hpp"
#include "kernels/pixel_block.hpp"

namespace multiconv::MC_TARGET {
namespace {

// For one line of pixels, each output at the place of its input.
template <class T>
class ByPixels {
 public:
  static i64 scratch_bytes(const Desc& d, const Cut& cut) {
    return (box_numbers(d, cut) + sums_numbers(cut)) * static_cast<i64>(sizeof(T));
  }

  static bool fits(const Desc& d) {
    return d.rank == 1 && d.out_size[0] >= kFewest && d.in_channels <= kFewChannels;
  }

  // Tiles of several blocks; where that makes few, output channels are shared out, too.
  static Cut cut(const Desc& d, i64 tasks, i64 threads, Reads) {
    const i64 tiles = min_of(tasks, max_of(outputs_of(d) / kTile, 1));
    return cut_for<T>(d, kInputs, tiles, tiles < tasks ? tasks : min_of(tasks, threads));
  }

  static void run(const Task& task) {
    ByPixels work(task);
    const i64 channels = task.args.desc.in_channels;
    for (i64 c = 0; c < channels; c += task.cut.inputs)
      work.add(c, min_of(task.cut.inputs, channels - c));
    if (!work.straight_) work.write();
  }

 private:
  using Block = PixelBlock<Pixels<T>>;
  static constexpr i64 lanes = kLanes<T>;
  static constexpr i64 kFewest = 4 * lanes;
  static constexpr i64 kFewChannels = 256;  // with more, turning pixels around costs little
  static constexpr i64 kTile = 12 * lanes;  // pixels of a tile, at the least
  static constexpr i64 kInputs = 256;       // of a block of pixels that stays in the nearest cache
  static constexpr i64 kBoxBytes = 24 * 1024;  // of blocks that stay there together
  static constexpr i64 kFar = 4 << 20;         // bytes of results that go on to outer caches

  static i64 most_vectors(const Desc& d) {
    return columns_of(static_cast<int>(min_of(kRows, d.out_channels)));
  }
  static i64 block_numbers(const Desc& d, const Cut& cut) {
    return cut.inputs * most_vectors(d) * lanes;
  }
  // Blocks that outputs are summed from, row after row: where results go far, few rows are written
  // at once.
  static i64 most_blocks(const Desc& d, const Cut& cut) {
    const i64 results = d.batch * d.groups * d.out_channels * outputs_of(d);
    if (results * static_cast<i64>(sizeof(T)) < kFar) return 1;
    return max_of(kBoxBytes / static_cast<i64>(sizeof(T)) / block_numbers(d, cut), 1);
  }
  static i64 box_numbers(const Desc& d, const Cut& cut) {
    return block_numbers(d, cut) * most_blocks(d, cut);
  }
  // Whole vectors, and an odd number of them keeps rows apart in the cache.
  static i64 pitch_of(i64 outputs) { return (ceil_div(outputs, lanes) | 1) * lanes; }
  static i64 sums_numbers(const Cut& cut) {
    return (cut.outputs + kRows) * pitch_of(cut.region.outputs);
  }

  explicit ByPixels(const Task& task)
      : task_(task),
        d_(task.args.desc),
        pixels_(task.region.outputs),
        pitch_(pitch_of(pixels_)),
        straight_(task.straight<T>() == 1),
        box_(take_scratch<T>(Slot::tile, box_numbers(d_, task.cut))),
        sums_(take_scratch<T>(Slot::line, sums_numbers(task.cut))) {}

  void add(i64 c, i64 inputs) {
    const i64 all = straight_ ? pixels_ / lanes : ceil_div(pixels_, lanes);
    const i64 blocks = ceil_div(all, most_vectors(d_)), most = most_blocks(d_, task_.cut);
    for (i64 b = 0; b < blocks; b += most) {
      const i64 end = min_of(b + most, blocks);
      add_blocks(c, inputs, end - b, [&](i64 i) { return all * (b + i) / blocks; });
    }
    if (all * lanes < pixels_) add_blocks(c, inputs, 1, [&](i64 i) { return all + i; });
  }

  // Blocks of pixels stay in the nearest cache while the weights pass by. Block i ends at vector
  // vector_of(i + 1).
  template <class F>
  void add_blocks(i64 c, i64 inputs, i64 blocks, const F& vector_of) {
    const i64 begin = vector_of(0);
    const auto box_of = [&](i64 i) { return box_ + inputs * (vector_of(i) - begin) * lanes; };
    const auto count_of = [&](i64 i) { return (vector_of(i + 1) - vector_of(i)) * lanes; };
    for (i64 i = 0; i < blocks; ++i)
      gather(c, inputs, vector_of(i) * lanes, count_of(i), box_of(i));
    const T* packed = static_cast<const T*>(task_.args.packed);
    for (i64 p = task_.begin; p < task_.end; p += kPanel<T>) {
      const Panel<T> panel = panel_of(d_, packed, task_.g, p, c, d_.in_channels);
      for (i64 m = 0, rows = 0; m < panel.width; m += rows) {
        rows = ceil_div(panel.width - m, ceil_div(panel.width - m, kRows));
        for (i64 i = 0; i < blocks; ++i)
          add_rows({box_of(i), count_of(i), inputs}, panel.w + m, panel.width, p + m, rows,
                   vector_of(i) * lanes, c);
      }
    }
  }

  void gather(i64 c, i64 inputs, i64 pixel, i64 count, T* box) {
    const ConstView& x = task_.args.x;
    const i64 step = x.strides[3], real = min_of(count, pixels_ - pixel);
    const i64 at = task_.x_at + c * x.strides[2] + (task_.first[0] + pixel) * step;
    as_stored<T>(d_.x_type, x.data, [&](auto* typed) {
      for (i64 i = 0; i < inputs; ++i) {
        T* to = box + i * count;
        copy_row(typed + at + i * x.strides[2], step, real, to);
        fill(to + real, count - real, T(0));
      }
    });
  }

  template <class S>
  static void copy_row(const S* from, i64 step, i64 count, T* to) {
    i64 i = 0;
    if (step == 1) {
      for (; i + lanes <= count; i += lanes) store(to + i, load_as<T>(from + i));
      for (; i < count; ++i) to[i] = static_cast<T>(from[i]);
    } else {
      for (; i < count; ++i) to[i] = static_cast<T>(from[i * step]);
    }
  }

  // Of input channels [c, c + x.channels).
  void add_rows(const Pixels<T>& x, const T* w, i64 width, i64 o, i64 rows, i64 pixel, i64 c) {
    T start[kRows] = {};
    for (i64 m = 0; m < rows; ++m) start[m] = initial<T>(task_.args, task_.channel(o + m));
    const T* from = c == 0 ? start : nullptr;
    const Block block = pixel_block_of<Pixels<T>>(rows, x.pitch / lanes);
    if (!straight_)
      return block(x, w, width, {sums_ + (o - task_.begin) * pitch_ + pixel, pitch_, from});
    const i64 pitch = task_.args.out.strides[2];
    const i64 at = o * pitch + pixel;
    Outputs<T> out{static_cast<T*>(task_.args.out.data) + task_.at.out + at, pitch, from};
    if (c == 0) out.residual = task_.residual<T>(at);
    const bool done = c + x.channels == d_.in_channels;
    if (done) out.clamp = {d_, cuts_off(d_)};
    if (pixel + x.pitch <= pixels_)
      block(x, w, width, out);
    else
      add_rest(block, x, w, width, out, rows, pixels_ - pixel);
    if (done) activate_rows(d_, out.first, pitch, min_of(x.pitch, pixels_ - pixel), rows);
  }

  // The pixels that fill no vector.
  void add_rest(Block block, const Pixels<T>& x, const T* w, i64 width, const Outputs<T>& out,
                i64 rows, i64 pixels) {
    const auto bytes = static_cast<std::size_t>(pixels) * sizeof(T);
    for (i64 m = 0; m < rows && !out.start; ++m)
      __builtin_memcpy(sums_ + m * lanes, out.first + m * out.pitch, bytes);
    T* more = out.residual ? sums_ + rows * lanes : nullptr;
    for (i64 m = 0; m < rows && more; ++m)
      __builtin_memcpy(more + m * lanes, out.residual + m * out.pitch, bytes);
    block(x, w, width, {sums_, lanes, out.start, more, out.clamp});
    for (i64 m = 0; m < rows; ++m)
      __builtin_memcpy(out.first + m * out.pitch, sums_ + m * lanes, bytes);
  }

  void write() const {
    const RunArgs& args = task_.args;
    const At step = step_of(args, 3);
    as_stored<T>(d_.out_type, args.out.data, [&](auto* typed) {
      for (i64 o = task_.begin; o < task_.end; ++o) {
        T* row = sums_ + (o - task_.begin) * pitch_;
        const At at = start_of(args, task_.n, task_.g, o) + task_.first[0] * step;
        finish_row(args, task_.channel(o), at.residual, step.residual, row, pixels_);
        store_row(row, typed + at.out, step.out, pixels_);
      }
    });
  }

  const Task& task_;
  const Desc& d_;
  i64 pixels_, pitch_;
  bool straight_;  // sums are made in the output
  T *box_, *sums_;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
