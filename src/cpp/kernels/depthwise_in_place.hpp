// Depthwise layers whose channels lie beside each other: lanes are channels, and pixels are read
// where they lie, in the order of memory. Blocks of outputs whose windows leave the input read a
// copy that goes on beyond the boundary, unless one value lies there and taps follow one another.
#pragma once

#include "kernels/clamp.hpp"
#include "kernels/depthwise_columns.hpp"
#include "kernels/depthwise_cut.hpp"
#include "kernels/depthwise_pack.hpp"
#include "kernels/depthwise_sum.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
class InPlace {
  static constexpr i64 lanes = kLanes<T>;
  static constexpr int most = kVectorsOf<true, kLaneRows>;  // outputs of a block, across
  static constexpr i64 most_taps = 7;                       // along an axis
  static constexpr i64 most_pixels = 512;                   // of a block's window
  static constexpr i64 kFarPixels = 1 << 21;                // channels of each counted

 public:
  static bool takes(const RunArgs& args) {
    return suits(args.desc) && args.x.strides[1] == 1 && args.out.strides[1] == 1;
  }

  // Of the copy of a window, and of where its pixels lie.
  static i64 room(const Desc& d) {
    return suits(d) ? pixels_of(d) * (lanes + static_cast<i64>(sizeof(i64) / sizeof(T))) : 0;
  }

  explicit InPlace(const RunArgs& args)
      : args_(args),
        d_(args.desc),
        r_(rows_of(d_)),
        clamp_(d_, clamps(d_)),
        rows_(shares(d_) ? kLaneRows : 1),
        follows_(follows(d_)),
        width_(d_.out_size[d_.rank - 1]) {
    const double block = static_cast<double>(rows_ * width_ * d_.groups * taps_of(d_));
    const i64 worth = static_cast<i64>(static_cast<double>(kWork) / block) + 1;
    const int last = d_.rank - 1;
    for (i64 v = 0; v < most; ++v) {
      near_[v] = v * d_.stride[last] * lanes;
      far_[v] = v * d_.stride[last] * x_pixel();
    }
    for (i64 k = 0; k < d_.kernel[last]; ++k) {
      near_taps_[k] = k * d_.dilation[last] * lanes;
      far_taps_[k] = k * d_.dilation[last] * x_pixel();
    }
    store(outside_, splat(boundary_value<T>(d_, 0)));
    far_away_ = d_.batch * r_.size * d_.in_size[d_.rank - 1] * d_.groups > kFarPixels;
    blocks_ = min_of(worth, ceil_div(r_.out, rows_));
    bands_ = ceil_div(ceil_div(r_.out, rows_), blocks_);
  }

  i64 tasks() const { return d_.batch * bands_; }

  void run(i64 task) const {
    T* box =
        static_cast<T*>(thread_scratch(Slot::tile, static_cast<std::size_t>(room(d_)) * sizeof(T)));
    const i64 image = task / bands_, first = task % bands_ * blocks_ * rows_;
    const i64 end = min_of(first + blocks_ * rows_, r_.out);
    const T* x = static_cast<const T*>(args_.x.data) + image * args_.x.strides[0];
    T* out = static_cast<T*>(args_.out.data) + image * args_.out.strides[0];
    i64 y = first;
    if (rows_ == kLaneRows)
      for (; y + kLaneRows <= end; y += kLaneRows) add_rows<kLaneRows>(x, y, out, box);
    for (; y < end; ++y) add_rows<1>(x, y, out, box);
    for (y = first; y < end; ++y) finish(out + y * out_row());
  }

 private:
  static bool suits(const Desc& d) {
    return kShapes<T> && d.rank <= 2 && d.out_channels == 1 && d.groups >= lanes &&
           stored_as<T>(d.x_type) && stored_as<T>(d.out_type) && !d.has_scale && !d.has_residual &&
           has_few_taps(d);
  }
  // Blocks at the ends of rows are copied with what others read, too; many taps in narrow rows
  // would make that most of the work.
  static bool has_few_taps(const Desc& d) {
    const int last = d.rank - 1;
    for (int a = 0; a < d.rank; ++a)
      if (d.kernel[a] > most_taps) return false;
    const bool wide = d.kernel[last] <= 3 || d.out_size[last] >= 4 * d.kernel[last];
    return wide && pixels_of(d) <= most_pixels;
  }
  // Whether two rows of outputs share rows of the input.
  static bool shares(const Desc& d) {
    const Rows r = rows_of(d);
    return r.taps > 1 && r.dilation == 1 && r.stride <= 2 && r.out >= kLaneRows;
  }
  // Whether a block's windows are rows of neighbouring pixels, as far apart as its rows are, and
  // beyond the input lies one value.
  static bool follows(const Desc& d) {
    const Rows r = rows_of(d);
    const int last = d.rank - 1;
    return d.rank == 2 && r.dilation == 1 && d.dilation[last] == 1 &&
           d.stride[last] == (r.stride == 2 ? 2 : 1) && r.stride <= 2 &&
           r.boundary == Boundary::constant && d.boundary[last] == Boundary::constant;
  }
  static i64 rows_of_window(const Desc& d) {
    const Rows r = rows_of(d);
    return (shares(d) ? (kLaneRows - 1) * r.stride : 0) + r.taps;
  }
  static i64 columns_of_window(const Desc& d, i64 outputs) {
    const int a = d.rank - 1;
    return (outputs - 1) * d.stride[a] + (d.kernel[a] - 1) * d.dilation[a] + 1;
  }
  static i64 pixels_of(const Desc& d) { return rows_of_window(d) * columns_of_window(d, most); }

  i64 x_row() const { return d_.rank > 1 ? args_.x.strides[1 + d_.rank] : 0; }
  i64 x_pixel() const { return args_.x.strides[2 + d_.rank]; }
  i64 out_row() const { return d_.rank > 1 ? args_.out.strides[1 + d_.rank] : 0; }
  i64 out_pixel() const { return args_.out.strides[2 + d_.rank]; }

  template <int R>
  void add_rows(const T* x, i64 y, T* out, T* box) const {
    const int known = r_.taps == d_.kernel[d_.rank - 1] ? static_cast<int>(r_.taps) : 0;
    const auto add = [&]<int s>() __attribute__((always_inline)) {
      if (known == 3) return add_rows<R, s, 3>(x, y, out, box);
      if (known == 5) return add_rows<R, s, 5>(x, y, out, box);
      add_rows<R, s, 0>(x, y, out, box);
    };
    if (r_.stride == 2) return add.template operator()<2>();
    add.template operator()<1>();
  }

  template <int R, int s, int known>
  void add_rows(const T* x, i64 y, T* out, T* box) const {
    if (width_ < most) {
      for (i64 v = 0; v < width_; ++v) add_block<R, 1, s, known>(x, y, v, out, box);
      return;
    }
    for (i64 v = 0; v < width_; v += most)  // the last block goes back to end with the row
      add_block<R, most, s, known>(x, y, min_of(v, width_ - most), out, box);
  }

  // V outputs of R rows, all channels.
  template <int R, int V, int s, int known>
  void add_block(const T* x, i64 y, i64 v, T* out, T* box) const {
    constexpr i64 most_rows = (kLaneRows - 1) * 2 + most_taps;
    const int last = d_.rank - 1;
    const i64 count = (R - 1) * s + r_.taps, columns = columns_of_window(d_, V);
    const i64 top = y * r_.stride - r_.pad, left = v * d_.stride[last] - d_.pad_low[last];
    const bool inside = top >= 0 && top + (count - 1) * r_.dilation < r_.size && left >= 0 &&
                        left + columns <= d_.in_size[last];
    out += y * out_row() + v * out_pixel();
    const T* from = x + top * x_row() + left * x_pixel();
    if constexpr (known > 0 && V == most)
      if (follows_ && d_.groups % lanes == 0)
        return add_pixels<R, s, known>(from, {top, left, count, columns}, inside, out);
    const T *there[most_rows], *copied[most_rows];
    for (i64 i = 0; i < count; ++i) copied[i] = box + i * columns * lanes;
    i64* source = reinterpret_cast<i64*>(box + count * columns * lanes);
    if (!inside || d_.groups % lanes != 0) find({top, left, count, columns}, source);
    Window<T> window{there, 1, count, 1, r_.taps, d_.kernel[last], nullptr, nullptr};
    for (i64 c = 0; c < d_.groups; c += lanes) {
      const i64 filled = min_of(lanes, d_.groups - c);
      const bool in_place = inside && filled == lanes;
      window.w = DepthwisePack<T>::template of<true>(d_, args_.packed, c);
      if (in_place) {
        for (i64 i = 0; i < count; ++i) there[i] = from + i * r_.dilation * x_row() + c;
        window.rows = there;
        window.offset = far_taps_;
      } else {
        copy(x + c, filled, source, count * columns, box);
        window.rows = copied;
        window.offset = near_taps_;
      }
      const Vec<T> bias =
          d_.has_bias ? load_first(static_cast<const T*>(args_.bias) + c, filled) : Vec<T>{};
      Vec<T> acc[R][V];
      sum_block<true, R, V, s, known>(window, in_place ? far_ : near_, bias, acc);
      put<R, V>(acc, filled, out + c);
    }
  }

  struct Place {
    i64 top, left, rows, columns;
  };

  // The same where each pixel is loaded once.
  template <int R, int s, int known>
  void add_pixels(const T* from, const Place& at, bool inside, T* out) const {
    const int last = d_.rank - 1;
    const i64 size = d_.in_size[last];
    const Vec<T> outside = load(outside_);
    PixelRows<T> rows{{}, {}, max_of(-at.left, 0), min_of(at.columns, size - at.left), outside};
    for (i64 i = 0; i < at.rows; ++i) rows.step[i] = holds(at.top + i) ? x_pixel() : 0;
    for (i64 c = 0; c < d_.groups; c += lanes) {
      for (i64 i = 0; i < at.rows; ++i)
        rows.row[i] = rows.step[i] != 0 ? from + i * x_row() + c : outside_;
      if (far_away_) fetch_next<R, s>(rows, at);
      const T* w = DepthwisePack<T>::template of<true>(d_, args_.packed, c);
      const Vec<T> bias = d_.has_bias ? load(static_cast<const T*>(args_.bias) + c) : Vec<T>{};
      Vec<T> acc[R][most];
      if (inside)
        sum_columns<true, R, most, s, known>(rows, w, bias, acc);
      else
        sum_columns<false, R, most, s, known>(rows, w, bias, acc);
      put<R, most>(acc, lanes, out + c);
    }
  }

  // Asks for the pixels of the next block, of rows that no block above has read: they lie a vector
  // here and a vector there, which the hardware does not foresee.
  template <int R, int s>
  void fetch_next(const PixelRows<T>& rows, const Place& at) const {
    for (i64 i = max_of(at.rows - R * s, 0); i < at.rows; ++i)
      for (i64 c = at.columns; c < at.columns + most * s; ++c)
        __builtin_prefetch(rows.row[i] + c * rows.step[i]);
  }

  // Whether there is such a row.
  bool holds(i64 row) const { return row >= 0 && row < r_.size; }

  template <int R, int V>
  void put(Vec<T> (*acc)[V], i64 filled, T* to) const {
    clamp_.template apply<R * V>(&acc[0][0]);
    if (filled == lanes)
      unrolled<R * V>([&](auto i) __attribute__((always_inline)) {
        store(to + i / V * out_row() + i % V * out_pixel(), acc[i / V][i % V]);
      });
    else
      unrolled<R * V>([&](auto i) __attribute__((always_inline)) {
        store_first(to + i / V * out_row() + i % V * out_pixel(), acc[i / V][i % V], filled);
      });
  }

  // Where the pixels of a window lie in the input, of one that leaves it.
  void find(const Place& at, i64* source) const {
    const int last = d_.rank - 1;
    for (i64 i = 0; i < at.rows; ++i) {
      const i64 row = resolve_index(at.top + i * r_.dilation, r_.size, r_.boundary);
      for (i64 k = 0; k < at.columns; ++k) {
        const i64 column = resolve_index(at.left + k, d_.in_size[last], d_.boundary[last]);
        const bool there = row != kOutside && column != kOutside;
        *source++ = there ? row * x_row() + column * x_pixel() : kNowhere;
      }
    }
  }

  void copy(const T* x, i64 filled, const i64* source, i64 pixels, T* box) const {
    T outside[lanes];
    store(outside, splat(boundary_value<T>(d_, 0)));
    if (filled == lanes)
      for (i64 i = 0; i < pixels; ++i)
        store(box + i * lanes, load(source[i] == kNowhere ? outside : x + source[i]));
    else
      for (i64 i = 0; i < pixels; ++i)
        store(box + i * lanes,
              source[i] == kNowhere ? load(outside) : load_first(x + source[i], filled));
  }

  // Activations that registers do not do.
  void finish(T* row) const {
    if (out_pixel() == d_.groups) return activate_rows<T>(d_, row, 0, width_ * d_.groups, 1);
    activate_rows<T>(d_, row, out_pixel(), d_.groups, width_);
  }

  const RunArgs& args_;
  const Desc& d_;
  const Rows r_;
  const Clamp<T> clamp_;
  const i64 rows_;  // of outputs, of a block
  const bool follows_;
  bool far_away_;       // more than caches hold
  const i64 width_;     // outputs of a row
  i64 blocks_, bands_;  // of a task, of an image
  // From the first pixel that a block reads to those that outputs do, and to those of taps.
  i64 near_[most], far_[most], near_taps_[most_taps], far_taps_[most_taps];
  T outside_[lanes];
};

}  // namespace
}  // namespace multiconv::MC_TARGET
