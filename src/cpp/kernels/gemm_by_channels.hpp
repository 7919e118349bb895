// Output channels in the lanes, pixels beside each other: any windows. A form says what a number
// is: one sample or those of several channels.
#pragma once

#include "kernels/channel_io.hpp"
#include "kernels/gemm_channel_block.hpp"
#include "kernels/gemm_cut.hpp"
#include "kernels/gemm_gather.hpp"
#include "kernels/gemm_windows.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class Form>
class ByChannels {
  using T = typename Form::Number;
  static constexpr i64 kPanelBytes = 320 * 1024;  // of the weights of a block of channels
  static constexpr i64 kWorthGather = 512;        // products of a sample
  static constexpr i64 kHeavy = 4;                // weights for each sample
  static constexpr i64 kInPlace = 32;             // channels that make a segment worth its pointer

 public:
  static i64 scratch_bytes(const Desc& d, const Cut& cut) {
    const Region& r = cut.region;
    const i64 numbers = box_numbers(cut) + sums_numbers(cut) + 2 * cut.inputs;
    return numbers * static_cast<i64>(sizeof(T)) + table_bytes(d, r);
  }

  // Whether windows are read from the input itself.
  static bool in_place(const RunArgs& args) {
    const Desc& d = args.desc;
    if (!Form::kInPlace) return false;
    const bool neighbours = args.x.strides[2] == 1 || d.in_channels == 1;
    return stored_as<T>(d.x_type) && neighbours && (d.in_channels >= kInPlace || taps_of(d) == 1);
  }

  static Cut cut(const Desc& d, i64 tasks, i64 threads, Reads reads) {
    const i64 most = kPanelBytes / static_cast<i64>(sizeof(T)) / kPanel<T> / taps_of(d);
    // What is gathered serves all output channels of a task: they have to be worth it.
    const i64 worth = d.out_channels * taps_of(d) / kWorthGather;
    const i64 chunked = reads != Reads::copy ? tasks : min_of(tasks, max_of(threads, worth));
    // Every tile reads all weights of its channels: where these are most of it, tiles are few.
    const bool heavy = d.out_channels * taps_of(d) > kHeavy * outputs_of(d);
    const i64 chunks = min_of(chunked, ceil_div(d.out_channels, kPanel<T>));
    const i64 tiles = heavy ? ceil_div(tasks, chunks) : tasks;
    return cut_for<T>(d, max_of(most, 16), tiles, chunked);
  }

  static void run(const Task& task, const Form& form) {
    ByChannels work(task, form);
    const Desc& d = task.args.desc;
    find_sources(d, task.region, task.first, work.indices_, work.source_);
    fill(work.constants_, task.cut.inputs, form.hole(d));
    fill(work.constants_ + task.cut.inputs, task.cut.inputs, form.outside(d));
    for (i64 c = 0; c < d.in_channels; c += task.cut.inputs)
      work.add(c, min_of(task.cut.inputs, d.in_channels - c));
  }

 private:
  static i64 box_numbers(const Cut& cut) { return cut.region.positions * cut.inputs + kLanes<T>; }
  static i64 sums_numbers(const Cut& cut) {
    return cut.region.outputs * (cut.blocks > 1 ? cut.outputs : kPanel<T>);
  }
  static i64 table_bytes(const Desc& d, const Region& r) {
    const i64 pointers = taps_of(d) * r.outputs;
    return 8 * (r.extents + pointers) + static_cast<i64>(sizeof(Run)) * r.extent[d.rank - 1];
  }

  ByChannels(const Task& task, const Form& form)
      : task_(task),
        form_(form),
        d_(task.args.desc),
        r_(task.region),
        in_place_(in_place(task.args)),
        step_(task.args.out.strides[2] == 1 ? task.straight<T>() : 0) {
    row_ = r_.outputs;
    const int last = d_.rank - 1;
    const bool results = task.args.out.strides[2] == 1 && leave_as_results<T>(task.args);
    if (step_ == 0 && results && r_.tile[last] >= kFewest) {
      row_ = r_.tile[last];
      step_ = task.args.out.strides[3 + last];
    }
    const Region& largest = task.cut.region;
    if (!in_place_) box_ = take_scratch<T>(Slot::tile, box_numbers(task.cut));
    sums_ = take_scratch<T>(Slot::line, sums_numbers(task.cut));
    constants_ = take_scratch<T>(Slot::spectrum, 2 * task.cut.inputs);
    char* table = take_scratch<char>(Slot::table, table_bytes(d_, largest));
    runs_ = reinterpret_cast<Run*>(table);
    rows_ = reinterpret_cast<const T**>(runs_ + largest.extent[d_.rank - 1]);
    indices_ = reinterpret_cast<i64*>(rows_ + taps_of(d_) * largest.outputs);
  }

  // What input channels [c, c + inputs) give.
  void add(i64 c, i64 inputs) {
    const i64 at = task_.x_at + c * task_.args.x.strides[2];
    const bool merged = !in_place_ && r_.tap_step[d_.rank - 1] == 1 && inputs == d_.in_channels;
    const Segments segments = segments_of(d_, merged);
    if (in_place_) {
      const T* x = static_cast<const T*>(task_.args.x.data) + at;
      const Constants<T> constants{constants_ + task_.cut.inputs, constants_};
      point_at_input(d_, r_, segments, source_, x, task_.args.x.strides + 3, constants, rows_);
    } else {
      gather(at, c, inputs);
      point_at_box<T>(d_, r_, segments, box_, inputs, rows_);
    }
    const i64 length = merged ? inputs * d_.kernel[d_.rank - 1] : inputs;
    const Windows<T> windows{rows_, r_.outputs, segments.all, 0, length};
    for (i64 o = task_.begin; o < task_.end; o += kPanel<T>) add_panel(windows, o, c, inputs);
  }

  void gather(i64 at, i64 c, i64 inputs) {
    Tables t{};
    t.runs = runs_;
    find_runs(d_, r_, task_.first[d_.rank - 1], source_[d_.rank - 1], t);
    form_.gather(task_.args, c, inputs, [&](auto* x, const auto& gather) {
      gather_region(d_, r_, source_, t, x + at, task_.args.x.strides + 3, inputs, gather,
                    form_.outside(d_), form_.hole(d_), box_);
    });
  }

  void add_panel(const Windows<T>& windows, i64 o, i64 c, i64 inputs) {
    const T* packed = static_cast<const T*>(task_.args.packed);
    const Panel<T> panel = panel_of(d_, packed, task_.g, o, c, windows.end);
    const bool straight = step_ != 0 && panel.width % kLanes<T> == 0;
    T start[kPanel<T>] = {};
    for (i64 m = 0; m < panel.width; ++m)
      start[m] = form_.start(task_.channel(o + m)) +
                 (straight ? initial<T>(task_.args, task_.channel(o + m)) : T(0));
    Sums<T> sums{static_cast<T*>(task_.args.out.data) + task_.at.out + o, step_, kLanes<T>,
                 c == 0 ? start : nullptr};
    const bool done = c + inputs == d_.in_channels;
    if (straight && c == 0) sums.residual = task_.residual<T>(o);
    if (straight && done) sums.clamp = {d_, cuts_off(d_)};
    if (!straight) {
      sums.first = sums_ + (task_.cut.blocks > 1 ? (o - task_.begin) * r_.outputs : 0);
      sums.pixel = kLanes<T>;
      sums.vector = r_.outputs * kLanes<T>;
    }
    if (!straight)
      blocks<Form>(windows, panel, sums, r_.outputs);
    else
      each_row([&](i64 pixel, i64 at) {
        Windows<T> row = windows;
        row.rows += pixel;
        Sums<T> to = sums;
        to.first += at;
        if (to.residual) to.residual += at;
        blocks<Form>(row, panel, to, row_);
        if (done) activate_rows<T>(d_, to.first, step_, panel.width, row_);
      });
    if (!straight && done) write(o, o + panel.width, sums);
  }

  // Pixels whose sums are `step_` apart: f(the first one, elements to its sums).
  template <class F>
  void each_row(F&& f) const {
    i64 index[kMaxRank] = {};
    for (i64 pixel = 0; pixel < r_.outputs; pixel += row_) {
      i64 at = 0;
      for (int a = 0; a < d_.rank - 1; ++a) at += index[a] * task_.args.out.strides[3 + a];
      f(pixel, at);
      next_index(index, r_.tile, d_.rank - 1);
    }
  }

  void write(i64 begin, i64 end, Sums<T> sums) const {
    const ChannelIo<T> io(task_.args);
    i64 pitch[kMaxRank], step = 1;
    for (int a = d_.rank - 1; a >= 0; --a) {
      pitch[a] = step;
      step *= r_.tile[a];
    }
    for (i64 o = begin; o < end; o += kLanes<T>, sums.first += sums.vector)
      io.write(task_.n, task_.g, o, task_.first, r_.tile, pitch, sums.first);
  }

  const Task& task_;
  const Form& form_;
  const Desc& d_;
  const Region& r_;
  bool in_place_;
  i64 step_;  // from one pixel to the next where sums are made in the output
  i64 row_;   // pixels that are as far apart
  T *box_ = nullptr, *sums_, *constants_;
  Run* runs_;
  const T** rows_;
  i64* indices_;
  i64* source_[kMaxRank];
};

}  // namespace
}  // namespace multiconv::MC_TARGET
