// Squares of pixels times squares of output channels, in registers that hold matrices. Windows are
// laid out as the rows of one matrix for each tile of outputs, which the nearer caches keep while
// all weights pass by.
#pragma once

#include "kernels/channel_io.hpp"
#include "kernels/gemm_cut.hpp"
#include "kernels/gemm_windows.hpp"
#include "kernels/matrix.hpp"
#include "kernels/words.hpp"

namespace multiconv::MC_TARGET {
namespace {

// Words of one output's weights: those of all taps, then zeros to fill rows of registers.
MC_INLINE i64 matrix_depth(const Desc& words) {
  return ceil_div(words.in_channels * taps_of(words), kSide) * kSide;
}

// A block of rows, and a block of columns: pixels, outputs.
template <class Form, int P, int V>
void multiply_matrices(const Word* x, i64 pitch, const Word* w, i64 depth, void* sums, i64 vector) {
  constexpr i64 row = 4 * kSide;
  clear_matrix<0>();
  if constexpr (V > 1) clear_matrix<1>();
  if constexpr (P > 1) clear_matrix<2>();
  if constexpr (P > 1 && V > 1) clear_matrix<3>();
  for (i64 k = 0; k < depth; k += kSide) {
    load_matrix<6>(w + k * kSide, row);
    if constexpr (V > 1) load_matrix<7>(w + (depth + k) * kSide, row);
    load_matrix<4>(x + k, 4 * pitch);
    Form::template multiply<0, 4, 6>();
    if constexpr (V > 1) Form::template multiply<1, 4, 7>();
    if constexpr (P > 1) {
      load_matrix<5>(x + kSide * pitch + k, 4 * pitch);
      Form::template multiply<2, 5, 6>();
      if constexpr (V > 1) Form::template multiply<3, 5, 7>();
    }
  }
  char* to = static_cast<char*>(sums);
  store_matrix<0>(to, row);
  if constexpr (V > 1) store_matrix<1>(to + 4 * vector, row);
  if constexpr (P > 1) store_matrix<2>(to + 4 * kMatrix, row);
  if constexpr (P > 1 && V > 1) store_matrix<3>(to + 4 * (vector + kMatrix), row);
}

// A form says what a word is and what multiplies it; tasks are those of the layer in words.
template <class Form>
class ByTiles {
  using Sum = typename Form::Sum;
  static constexpr i64 kRowsBytes = 256 * 1024;  // of the windows of a tile
  static constexpr i64 kFewest = 4 * kSide;      // outputs of a tile that is not cut further

 public:
  static Cut cut(const Desc& d, i64 tasks, i64 threads, Reads) {
    Cut cut{};
    cut.blocks = 1;
    cut.inputs = d.in_channels;
    i64 overlap = 2;
    for (int a = 0; a < d.rank; ++a) overlap *= min_of(d.stride[a], d.kernel[a]);
    const i64 most = max_of(kRowsBytes / 4 / matrix_depth(d), kFewest);
    cut.region = choose_region(d, most * overlap, tasks, kFewest);
    const i64 panels = ceil_div(d.out_channels, 2 * kSide);
    const i64 chunks = min_of(ceil_div(min_of(tasks, threads), cut.region.tiles), panels);
    cut.outputs = ceil_div(panels, chunks) * 2 * kSide;
    cut.chunks = ceil_div(d.out_channels, cut.outputs);
    return cut;
  }

  static i64 scratch_bytes(const Desc& d, const Cut& cut) {
    return 4 * (box_words(cut) + rows_words(d, cut) + sums_words(cut)) + table_bytes(d, cut);
  }

  static void run(const Task& task, const Form& form) {
    ByTiles work(task, form);
    work.gather();
    work.lay_rows();
    const MatrixRegisters registers;
    for (i64 o = task.begin; o < task.end; o += 2 * kSide) work.add_panel(o);
  }

 private:
  static i64 box_words(const Cut& cut) { return cut.region.positions * cut.inputs + kSide; }
  // An odd number of cache lines keeps rows apart in the cache.
  static i64 pitch_of(const Desc& d) { return (matrix_depth(d) / kSide | 1) * kSide; }
  static i64 blocks_of(i64 outputs) { return ceil_div(outputs, kSide); }
  static i64 rows_words(const Desc& d, const Cut& cut) {
    return blocks_of(cut.region.outputs) * kSide * pitch_of(d) + kSide;
  }
  static i64 sums_words(const Cut& cut) { return 2 * blocks_of(cut.region.outputs) * kMatrix; }
  static i64 table_bytes(const Desc& d, const Cut& cut) {
    const Region& r = cut.region;
    return 8 * (r.extents + taps_of(d) * r.outputs) +
           static_cast<i64>(sizeof(Run)) * r.extent[d.rank - 1];
  }

  ByTiles(const Task& task, const Form& form)
      : task_(task),
        form_(form),
        d_(task.args.desc),
        r_(task.region),
        depth_(matrix_depth(d_)),
        pitch_(pitch_of(d_)),
        box_(take_scratch<Word>(Slot::tile, box_words(task.cut))),
        rows_(take_scratch<Word>(Slot::spectrum, rows_words(d_, task.cut))),
        sums_(take_scratch<Sum>(Slot::line, sums_words(task.cut))) {
    char* table = take_scratch<char>(Slot::table, table_bytes(d_, task.cut));
    runs_ = reinterpret_cast<Run*>(table);
    windows_ = reinterpret_cast<const Word**>(runs_ + task.cut.region.extent[d_.rank - 1]);
    indices_ = reinterpret_cast<i64*>(windows_ + taps_of(d_) * task.cut.region.outputs);
  }

  void gather() {
    i64* source[kMaxRank];
    find_sources(d_, r_, task_.first, indices_, source);
    Tables t{};
    t.runs = runs_;
    find_runs(d_, r_, task_.first[d_.rank - 1], source[d_.rank - 1], t);
    form_.gather(task_.args, 0, d_.in_channels, [&](auto* x, const auto& gather) {
      gather_region(d_, r_, source, t, x + task_.x_at, task_.args.x.strides + 3, d_.in_channels,
                    gather, form_.outside(d_), form_.hole(d_), box_);
    });
  }

  // The window of each output as a row. Copies overrun it by less than a vector.
  void lay_rows() {
    const bool merged = r_.tap_step[d_.rank - 1] == 1;
    const Segments segments = segments_of(d_, merged);
    point_at_box<Word>(d_, r_, segments, box_, d_.in_channels, windows_);
    const i64 length = d_.in_channels * (merged ? d_.kernel[d_.rank - 1] : 1);
    for (i64 p = 0; p < r_.outputs; ++p) {
      Word* to = rows_ + p * pitch_;
      for (i64 s = 0; s < segments.all; ++s, to += length) {
        const Word* from = windows_[s * r_.outputs + p];
        for (i64 i = 0; i < length; i += kLanes<Word>) store(to + i, load(from + i));
      }
      fill(to, rows_ + p * pitch_ + depth_ - to, Word(0));
    }
  }

  void add_panel(i64 o) {
    const i64 blocks = blocks_of(r_.outputs), vector = blocks * kMatrix;
    const i64 first = task_.g * blocks_of(d_.out_channels) + o / kSide;
    const Word* w = static_cast<const Word*>(task_.args.packed) + first * depth_ * kSide;
    const bool two = o + kSide < task_.end;
    for (i64 p = 0; p < blocks; p += 2) {
      const Word* x = rows_ + p * kSide * pitch_;
      Sum* sums = sums_ + p * kMatrix;
      if (p + 1 < blocks)
        (two ? multiply_matrices<Form, 2, 2> : multiply_matrices<Form, 2, 1>)(x, pitch_, w, depth_,
                                                                              sums, vector);
      else
        (two ? multiply_matrices<Form, 1, 2> : multiply_matrices<Form, 1, 1>)(x, pitch_, w, depth_,
                                                                              sums, vector);
    }
    write(o, sums_);
    if (two) write(o + kSide, sums_ + vector);
  }

  void write(i64 o, Sum* sums) const {
    i64 pitch[kMaxRank], step = 1;
    for (int a = d_.rank - 1; a >= 0; --a) {
      pitch[a] = step;
      step *= r_.tile[a];
    }
    ChannelIo<Sum>(task_.args).write(task_.n, task_.g, o, task_.first, r_.tile, pitch, sums);
  }

  const Task& task_;
  const Form& form_;
  const Desc& d_;
  const Region& r_;
  i64 depth_, pitch_;
  Word *box_, *rows_;
  Sum* sums_;
  Run* runs_;
  const Word** windows_;
  i64* indices_;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
