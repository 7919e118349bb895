// One task of depthwise work: a band of the outputs of some channels.
#pragma once

#include <type_traits>

#include "kernels/clamp.hpp"
#include "kernels/depthwise_cut.hpp"
#include "kernels/depthwise_pack.hpp"
#include "kernels/depthwise_sum.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T, bool by_lane>
class Task {
  static constexpr i64 lanes = kLanes<T>;

 public:
  Task(const RunArgs& args, const Cut<T, by_lane>& cut, i64 task)
      : args_(args),
        d_(args.desc),
        c_(cut),
        r_(rows_of(d_)),
        clamp_(d_, clamps(d_)),
        finished_(is_plain(d_) || clamps(d_)),
        in_place_(fits() && (finished_ || !by_lane)) {
    if constexpr (by_lane) {
      chunk_ = task % c_.chunks;
      task /= c_.chunks;
    }
    const i64 strip = task % c_.strips * c_.width;
    task /= c_.strips;
    top_ = task % c_.bands * c_.rows;
    task /= c_.bands;
    i64 plane = task % c_.outer_outputs;
    task /= c_.outer_outputs;
    image_ = by_lane ? task : 0;
    if constexpr (!by_lane) chunk_ = task;
    width_ = min_of(c_.width, d_.out_size[d_.rank - 1] - strip);
    height_ = min_of(c_.rows, r_.out - top_);
    columns_ = columns_for<T>(d_, strip, width_, by_lane);
    plane_at_ = strip * step() + top_ * row_step();
    for (int a = d_.rank - 3; a >= 0; --a) {
      outer_[a] = plane % d_.out_size[a];
      plane /= d_.out_size[a];
      plane_at_ += outer_[a] * step_of(args, 3 + a);
    }
    make_room();
    find_rows();
    place_vectors();
  }

  void run() {
    const i64 end = min_of((chunk_ + 1) * c_.chunk, c_.units * c_.images);
    as_stored<T>(d_.x_type, args_.x.data, [&](auto* x) {
      for (i64 i = chunk_ * c_.chunk; i < end; ++i)
        run_unit(x, image_ + i / c_.units, i % c_.units);
    });
  }

 private:
  void make_room() {
    room_ = c_.row_room(d_);
    stage_ = static_cast<T*>(
        thread_scratch(Slot::tile, static_cast<std::size_t>(c_.stage_room(d_)) * sizeof(T)));
    const i64 rows = c_.outer_taps * c_.positions;
    i64* table = static_cast<i64*>(
        thread_scratch(Slot::table, static_cast<std::size_t>(c_.table_room(d_)) * sizeof(i64)));
    row_ = reinterpret_cast<const T**>(table);
    source_ = table + rows;
    offset_ = source_ + rows;
    at_ = offset_ + d_.kernel[d_.rank - 1];
    out_ = at_ + c_.width + lanes;
    lines_ = static_cast<T*>(
        thread_scratch(Slot::line, static_cast<std::size_t>(c_.line_room()) * sizeof(T)));
  }

  // For every position of every outer tap: the row's place among the staged, and in the input.
  void find_rows() {
    const T cval = boundary_value<T>(d_, 0);
    T* outside = stage_ + c_.outer_taps * c_.ring * room_;
    fill(outside, room_, cval);
    const i64 rows = reach(height_);
    for (i64 o = 0; o < c_.outer_taps; ++o) {
      T* ring = stage_ + o * c_.ring * room_;
      for (i64 i = 0; i < min_of(c_.ring, rows); ++i)
        fill_margins(columns_, cval, ring + i * room_);
      i64 tap = o, at = 0;
      bool inside = true;
      for (int a = d_.rank - 3; a >= 0; --a) {
        const i64 j = outer_[a] * d_.stride[a] + tap % d_.kernel[a] * d_.dilation[a];
        tap /= d_.kernel[a];
        const i64 e = resolve_index(j - d_.pad_low[a], d_.in_size[a], d_.boundary[a]);
        inside &= e != kOutside;
        at += e * args_.x.strides[3 + a];
      }
      for (i64 i = 0; i < rows; ++i) {
        const i64 j = top_ * r_.stride + i - r_.pad;
        const i64 e = inside ? resolve_index(j, r_.size, r_.boundary) : kOutside;
        const bool there = e != kOutside;
        source_[o * c_.positions + i] = there ? at + e * x_row() : kNowhere;
        row_[o * c_.positions + i] = there ? ring + i % c_.ring * room_ : outside;
      }
    }
  }

  // Where taps and vectors of outputs lie in staged rows, and vectors in the result's.
  void place_vectors() {
    const int last = d_.rank - 1;
    for (i64 k = 0; k < d_.kernel[last]; ++k) offset_[k] = columns_.place(k * d_.dilation[last]);
    vectors_ = by_lane ? width_ : ceil_div(width_, lanes);
    for (i64 v = 0; v < vectors_; ++v) {
      if constexpr (by_lane) {
        at_[v] = v * d_.stride[last] * lanes;
        out_[v] = in_place_ ? v * step().out : v * lanes;
      } else {
        at_[v] = out_[v] = max_of(min_of(v * lanes, width_ - lanes), 0);
      }
    }
  }

  // Input rows that the first y output rows of the band reach.
  i64 reach(i64 y) const { return (y - 1) * r_.stride + (r_.taps - 1) * r_.dilation + 1; }

  i64 x_row() const { return d_.rank > 1 ? args_.x.strides[1 + d_.rank] : 0; }
  At row_step() const { return d_.rank > 1 ? step_of(args_, 1 + d_.rank) : At{0, 0}; }
  At step() const { return step_of(args_, 2 + d_.rank); }

  // Whether vectors of sums can be stored where results belong.
  bool fits() const {
    if (bytes_of_integer(d_.out_type) % static_cast<int>(sizeof(T)) != 0) return false;
    i64 neighbour = step().out;
    if constexpr (by_lane) lie_evenly(d_, args_.out.strides, neighbour);
    return neighbour == 1;
  }

  // A channel, or a vector of channels, of image n.
  template <class S>
  void run_unit(const S* x, i64 n, i64 unit) {
    channel_ = by_lane ? unit * lanes : unit;
    count_ = by_lane ? min_of(lanes, c_.channels - channel_) : min_of(lanes, width_);
    window_ = {nullptr,      c_.outer_taps,
               c_.positions, r_.dilation,
               r_.taps,      d_.kernel[d_.rank - 1],
               offset_,      DepthwisePack<T>::template of<by_lane>(d_, args_.packed, channel_)};
    if constexpr (!by_lane)
      bias_ = splat(initial<T>(args_, channel_));
    else if (d_.has_bias && finished_)
      bias_ = load_first(static_cast<const T*>(args_.bias) + channel_, count_);
    else
      bias_ = Vec<T>{};
    const i64 group = d_.out_channels == 1 ? channel_ : channel_ / d_.out_channels;
    x += n * args_.x.strides[0] + (by_lane ? 0 : group * args_.x.strides[1]);
    band_at_ = start_of(args_, n, group, channel_ - group * d_.out_channels) + plane_at_;

    i64 staged = 0;
    const auto stage_for = [&](i64 y) {  // the first y output rows
      const i64 end = reach(min_of(y, height_));
      if (staged < end) stage(x, staged, end);
      staged = max_of(staged, end);
    };
    i64 y = 0;
    if (c_.block > 1)
      for (; y < height_; y += c_.block) {
        if (y + c_.block > height_) {  // what is left goes back to end with the band, if it pays
          if (height_ < c_.block || 2 * (height_ - y) < c_.block) break;
          y = height_ - c_.block;
        }
        stage_for(y + c_.ahead * c_.block);
        for (i64 i = 0; i < c_.apart; ++i) add_rows(y + i);
      }
    for (; y < height_; ++y) {
      stage_for(y + c_.ahead);
      add_rows<1, 1, 0>(y);
    }
  }

  template <class S>
  void stage(const S* x, i64 begin, i64 end) {
    const i64 neighbour = args_.x.strides[2 + d_.rank];
    for (i64 o = 0; o < c_.outer_taps; ++o) {
      const i64 at = o * c_.positions + begin;
      const RowList<T> rows{source_ + at, row_ + at, end - begin};
      const i64 channel = args_.x.strides[1];
      if constexpr (!by_lane)
        stage_pixels(d_, columns_, x, neighbour, rows);
      else if (channel == 1)
        stage_channels(d_, columns_, x, neighbour, channel_, d_.out_channels, count_, rows);
      else
        stage_turned(d_, columns_, x + channel_ * channel, channel, count_, rows);
    }
  }

  // The output rows y, y + apart, ... of a block.
  void add_rows(i64 y) {
    if constexpr (kShapes<T>)
      if (r_.taps == window_.width) {
        if (r_.taps == 3) return add_rows<3>(y);
        if (r_.taps == 5) return add_rows<5>(y);
      }
    add_rows<0>(y);
  }

  template <int known>
  void add_rows(i64 y) {
    if constexpr (kPhases<T> == 2)
      if (c_.phases == 2) return add_rows<2, known>(y);
    add_rows<1, known>(y);
  }

  template <int s, int known>
  void add_rows(i64 y) {
    constexpr int narrow = by_lane ? kLaneRows : kNarrowRows;
    if constexpr (kShapes<T>)
      if (c_.block / c_.apart == narrow) return add_rows<narrow, s, known>(y);
    add_rows<kRows, s, known>(y);
  }

  // R rows, in blocks of vectors. Where vectors are channels the last block goes back to end with
  // the row.
  template <int R, int s, int known>
  void add_rows(i64 y) {
    Window<T> window = window_;
    window.rows = row_ + y * r_.stride;
    At at = band_at_ + y * row_step();
    T* to = in_place_ ? static_cast<T*>(args_.out.data) + at.out : lines_;
    const i64 to_row = in_place_ ? c_.apart * row_step().out : c_.line_pitch();
    constexpr int most = kVectorsOf<by_lane, R>;
    i64 v = 0;
    for (; vectors_ - v >= most; v += most) add_block<R, most, s, known>(window, v, to, to_row);
    if constexpr (most > 1) {
      const i64 left = vectors_ - v;
      if (by_lane && left > 0 && vectors_ >= most) {
        add_block<R, most, s, known>(window, vectors_ - most, to, to_row);
        v = vectors_;
      } else if (!by_lane && most == 4 && left == 3) {
        add_block<R, 3, s, known>(window, v, to, to_row);
        v = vectors_;
      } else if (!by_lane && most == 4 && left == 2) {
        add_block<R, 2, s, known>(window, v, to, to_row);
        v = vectors_;
      }
      for (; v < vectors_; ++v) add_block<R, 1, s, known>(window, v, to, to_row);
    }
    if (finished_ && in_place_) return;
    for (int r = 0; r < R; ++r, at += c_.apart * row_step()) {
      if (!finished_) finish(to + r * to_row, at.residual);
      if (!in_place_) put(lines_ + r * to_row, at.out);
    }
  }

  template <int R, int V, int s, int known>
  void add_block(const Window<T>& window, i64 v, T* to, i64 to_row) const {
    Vec<T> acc[R][V];
    sum_block<by_lane, R, V, s, known>(window, at_ + v, bias_, acc);
    clamp_.template apply<R * V>(&acc[0][0]);
    i64 at[V];
    unrolled<V>([&](auto i) __attribute__((always_inline)) { at[i] = out_[v + i]; });
    const i64 count = count_;
    if (count == lanes || !in_place_)
      unrolled<R * V>([&](auto i) __attribute__((always_inline)) {
        store(to + i / V * to_row + at[i % V], acc[i / V][i % V]);
      });
    else
      unrolled<R * V>([&](auto i) __attribute__((always_inline)) {
        store_first(to + i / V * to_row + at[i % V], acc[i / V][i % V], count);
      });
    to += R * to_row;
    if (in_place_)  // what the next rows will be the first to touch
      unrolled<R * V>([&](auto i) __attribute__((always_inline)) {
        __builtin_prefetch(to + i / V * to_row + at[i % V], 1);
      });
  }

  // A row of sums becomes one of results.
  void finish(T* row, i64 residual) {
    if constexpr (by_lane) {
      RunArgs even = args_;
      lie_evenly(d_, args_.residual.strides, even.residual.strides[2]);
      finish_lanes(even, channel_, count_, residual, step().residual, row, width_);
    } else {
      finish_row(args_, channel_, residual, step().residual, row, width_);
    }
  }

  // A row of results to where it belongs, as it is stored.
  void put(const T* row, i64 at) {
    as_stored<T>(d_.out_type, args_.out.data, [&](auto* out) {
      using Out = std::remove_cvref_t<decltype(*out)>;
      if constexpr (!by_lane) return store_row(row, out + at, step().out, width_);
      i64 neighbour = 1;
      lie_evenly(d_, args_.out.strides, neighbour);
      if constexpr (sizeof(Out) == sizeof(T))
        if (step().out == 1 && neighbour != 1) {
          T* to = reinterpret_cast<T*>(out) + at;
          for (i64 p = 0; p < width_; p += lanes)
            turn<T, false>(row + p * lanes, lanes, min_of(lanes, width_ - p), count_, to + p,
                           neighbour);
          return;
        }
      for (i64 p = 0; p < width_; ++p) {
        Out* to = out + at + p * step().out;
        if (sizeof(Out) == sizeof(T) && neighbour == 1)
          store_first(reinterpret_cast<T*>(to), load(row + p * lanes), count_);
        else
          for (i64 l = 0; l < count_; ++l) to[l * neighbour] = narrowed<Out>(row[p * lanes + l]);
      }
    });
  }

  const RunArgs& args_;
  const Desc& d_;
  const Cut<T, by_lane>& c_;
  const Rows r_;
  const Clamp<T> clamp_;
  const bool finished_;  // sums leave registers as results
  const bool in_place_;  // and, finished or not, for where results belong
  i64 chunk_, image_, top_, width_, height_, room_, vectors_;
  At plane_at_;  // the band's first output, in its channel
  i64 outer_[kMaxRank];
  Columns columns_;
  T *stage_, *lines_;
  const T** row_;
  i64 *source_, *offset_, *at_, *out_;
  // Of the unit at work.
  Window<T> window_;
  Vec<T> bias_;
  i64 channel_, count_;  // count_: lanes that are stored
  At band_at_;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
