// Outputs whose windows lie wholly inside the input, read in place and written in place: no box, no
// line buffer. Several rows at once share each load of the input.
//
// Every output is summed in the same order as by the boxes (channel, then tap by tap), so that the
// bits do not tell which way it was made; but for lines of many taps.
#pragma once

#include "base/kernel.hpp"
#include "kernels/line.hpp"
#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kStencilRows = 4;
inline constexpr int kStencilVectors = MC_REGISTERS >= 32 ? 4 : 2;
inline constexpr i64 kStencilColumns = 512;  // of a task: its rows stay in the first-level cache
inline constexpr i64 kStencilTaskRows = 32;

// The outputs, per axis, that need no boundary.
struct Interior {
  i64 first[kMaxRank], size[kMaxRank];
};

// Empty where in-place work is impossible or not worth it.
template <class T>
MC_INLINE bool find_interior(const Desc& d, const i64* x_strides, const i64* out_strides,
                             Interior& in) {
  const int last = d.rank - 1;
  if (d.activation != Activation::none || x_strides[3 + last] != 1 || out_strides[3 + last] != 1)
    return false;
  for (int a = 0; a < d.rank; ++a) {
    if (d.stride[a] != 1 || d.in_dilation[a] != 1) return false;
    const i64 end = d.in_size[a] - (d.kernel[a] - 1) * d.dilation[a] + d.pad_low[a];
    in.first[a] = min_of(max_of(d.pad_low[a], 0), d.out_size[a]);
    in.size[a] = min_of(end, d.out_size[a]) - in.first[a];
    if (in.size[a] <= 0) return false;
  }
  return in.size[last] >= kStencilVectors * kLanes<T> && in.size[last] * 2 >= d.out_size[last];
}

// What all blocks of one channel's plane share.
template <class T>
struct Plane {
  const T* x;
  const T* w;  // all taps of this output channel
  T* out;
  T bias;
  i64 channels, channel_stride;
  i64 outer;  // taps on all but the last two axes
  const i64* outer_offset;
  i64 rows, row_step;        // taps on the last axis but one, and their distance in x
  i64 columns, column_step;  // taps on the last axis

  // Of one row of many neighbouring taps.
  bool is_line() const {
    return rows == 1 && outer == 1 && column_step == 1 && columns > kLanes<T>;
  }
};

// Adds input row `j` of a group to the output rows that see it: Lo <= r < Hi, by tap row j - r.
template <int V, int Lo, int Hi, class T, class S>
MC_INLINE void add_row(const Plane<T>& p, const S* x, const T* w, Vec<T> (*acc)[V]) {
  for (i64 k = 0; k < p.columns; ++k) {
    Vec<T> value[V];
    for (int v = 0; v < V; ++v) value[v] = load_as<T>(x + k * p.column_step + v * kLanes<T>);
    for (int r = Lo; r < Hi; ++r) {
      const T tap = w[k - r * p.columns];
      for (int v = 0; v < V; ++v) acc[r][v] += value[v] * tap;
    }
  }
}

// All input rows of a group, row(j) for each: those that only the first output rows see, those that
// all see, those that only the last see. Tap rows lie one input row apart.
template <int R, int V, class T, class Row>
MC_INLINE void add_rows(const Plane<T>& p, Row&& row, const T* w, Vec<T> (*acc)[V]) {
  static_assert(R == 4);
  const i64 n = p.rows, c = p.columns;
  if (n >= R) {
    add_row<V, 0, 1>(p, row(0), w, acc);
    add_row<V, 0, 2>(p, row(1), w + c, acc);
    add_row<V, 0, 3>(p, row(2), w + 2 * c, acc);
    for (i64 j = 3; j < n; ++j) add_row<V, 0, 4>(p, row(j), w + j * c, acc);
    add_row<V, 1, 4>(p, row(n), w + n * c, acc);
    add_row<V, 2, 4>(p, row(n + 1), w + (n + 1) * c, acc);
    add_row<V, 3, 4>(p, row(n + 2), w + (n + 2) * c, acc);
  } else if (n == 3) {
    add_row<V, 0, 1>(p, row(0), w, acc);
    add_row<V, 0, 2>(p, row(1), w + c, acc);
    add_row<V, 0, 3>(p, row(2), w + 2 * c, acc);
    add_row<V, 1, 4>(p, row(3), w + 3 * c, acc);
    add_row<V, 2, 4>(p, row(4), w + 4 * c, acc);
    add_row<V, 3, 4>(p, row(5), w + 5 * c, acc);
  } else {
    add_row<V, 0, 1>(p, row(0), w, acc);
    add_row<V, 0, 2>(p, row(1), w + c, acc);
    add_row<V, 1, 3>(p, row(2), w + 2 * c, acc);
    add_row<V, 2, 4>(p, row(3), w + 3 * c, acc);
    add_row<V, 3, 4>(p, row(4), w + 4 * c, acc);
  }
}

// R output rows by V vectors. R is 1 or kStencilRows.
template <int R, int V, class T>
MC_INLINE void stencil_block(const Plane<T>& p, const T* x, T* out, i64 x_row, i64 out_row) {
  Vec<T> acc[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) acc[r][v] = splat(p.bias);
  const T* w = p.w;
  for (i64 c = 0; c < p.channels; ++c)
    for (i64 o = 0; o < p.outer; ++o, w += p.rows * p.columns) {
      const T* from = x + c * p.channel_stride + p.outer_offset[o];
      if (R == 1 && V == kLineVectors && p.is_line())
        add_line(from, w, p.columns, acc[0]);
      else if constexpr (R == 1)
        for (i64 j = 0; j < p.rows; ++j)
          add_row<V, 0, 1>(p, from + j * p.row_step, w + j * p.columns, acc);
      else
        add_rows<R, V>(p, [&](i64 j) { return from + j * x_row; }, w, acc);
    }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) store(out + r * out_row + v * kLanes<T>, acc[r][v]);
}

// Asks for what the next group of rows will be the first to touch: too many rows are read at once
// for the hardware to foresee.
template <int R, int V, class T>
MC_INLINE void fetch_ahead(const Plane<T>& p, const T* x, const T* out, i64 x_row, i64 out_row) {
  constexpr i64 line = 64 / static_cast<i64>(sizeof(T));
  const T* next = x + p.outer_offset[p.outer - 1] + (p.rows - 1 + R) * x_row;
  for (int r = 0; r < R; ++r)
    for (i64 q = 0; q < V * kLanes<T>; q += line) {
      __builtin_prefetch(next + r * x_row + q);
      __builtin_prefetch(out + (R + r) * out_row + q, 1);
    }
}

// Rows of `width` outputs. The last block is moved back to end with the row: it makes some outputs
// twice, the same, and never reads or writes past the end.
template <int R, int V, class T>
void stencil_rows(const Plane<T>& p, const T* x, T* out, i64 x_row, i64 out_row, i64 width) {
  constexpr i64 step = V * kLanes<T>;
  for (i64 q = 0;;) {
    if constexpr (R > 1) fetch_ahead<R, V>(p, x + q, out + q, x_row, out_row);
    stencil_block<R, V>(p, x + q, out + q, x_row, out_row);
    if (q + step == width) break;
    q = min_of(q + step, width - step);
  }
}

// `offsets` has room for the outer taps.
template <class T>
void stencil(const Desc& d, const Interior& in, const RunArgs& args, i64* offsets, bool parallel) {
  const int last = d.rank - 1, row_axis = d.rank - 2;
  const i64* xs = args.x.strides;
  const i64* os = args.out.strides;
  Plane<T> shared{};
  shared.channels = d.in_channels;
  shared.channel_stride = xs[2];
  shared.columns = d.kernel[last];
  shared.column_step = d.dilation[last];
  shared.rows = d.rank > 1 ? d.kernel[row_axis] : 1;
  shared.row_step = d.rank > 1 ? d.dilation[row_axis] * xs[3 + row_axis] : 0;
  shared.outer = 1;
  for (int a = 0; a < row_axis; ++a) shared.outer *= d.kernel[a];
  for (i64 o = 0; o < shared.outer; ++o) {
    i64 rest = o;
    offsets[o] = 0;
    for (int a = row_axis - 1; a >= 0; --a) {
      offsets[o] += rest % d.kernel[a] * d.dilation[a] * xs[3 + a];
      rest /= d.kernel[a];
    }
  }
  shared.outer_offset = offsets;

  const i64 rows = d.rank > 1 ? in.size[row_axis] : 1;
  const i64 x_row = d.rank > 1 ? xs[3 + row_axis] : 0;
  const i64 out_row = d.rank > 1 ? os[3 + row_axis] : 0;
  const bool grouped = d.rank > 1 && d.dilation[row_axis] == 1 && d.kernel[row_axis] > 1;
  const i64 most = d.rank > 1 ? kStencilColumns : 16 * kStencilColumns;
  const i64 strips = max_of(in.size[last] / most, 1);
  const i64 bands = ceil_div(rows, kStencilTaskRows);
  i64 planes = 1;
  for (int a = 0; a < row_axis; ++a) planes *= in.size[a];
  const i64 tasks = d.batch * d.groups * d.out_channels * planes * bands * strips;
  const i64 taps = taps_of(d) * d.in_channels;

  args.pool.parallel_for(
      tasks,
      [&](i64 task, int) {
        const i64 strip = task % strips;
        task /= strips;
        const i64 band = task % bands;
        task /= bands;
        const i64 plane = task % planes;
        task /= planes;
        const i64 o = task % d.out_channels, g = task / d.out_channels % d.groups;
        const i64 n = task / d.out_channels / d.groups;
        const i64 left = in.size[last] * strip / strips;
        const i64 width = in.size[last] * (strip + 1) / strips - left;
        const i64 top = band * kStencilTaskRows, bottom = min_of(top + kStencilTaskRows, rows);

        i64 x_at = n * xs[0] + g * xs[1] + in.first[last] + left - d.pad_low[last];
        i64 out_at = n * os[0] + g * os[1] + o * os[2] + in.first[last] + left;
        i64 rest = plane;
        for (int a = row_axis - 1; a >= 0; --a) {
          const i64 at = in.first[a] + rest % in.size[a];
          rest /= in.size[a];
          x_at += (at - d.pad_low[a]) * xs[3 + a];
          out_at += at * os[3 + a];
        }
        if (d.rank > 1) {
          x_at += (in.first[row_axis] + top - d.pad_low[row_axis]) * x_row;
          out_at += (in.first[row_axis] + top) * out_row;
        }
        Plane<T> p = shared;
        p.w = static_cast<const T*>(args.packed) + (g * d.out_channels + o) * taps;
        p.bias = d.has_bias ? static_cast<const T*>(args.bias)[g * d.out_channels + o] : T(0);
        const T* x = static_cast<const T*>(args.x.data) + x_at;
        T* out = static_cast<T*>(args.out.data) + out_at;
        i64 y = top;
        if (grouped)
          for (; y + kStencilRows <= bottom; y += kStencilRows) {
            stencil_rows<kStencilRows, kStencilVectors>(p, x, out, x_row, out_row, width);
            x += kStencilRows * x_row;
            out += kStencilRows * out_row;
          }
        for (; y < bottom; ++y, x += x_row, out += out_row) {
          if (width >= 8 * kLanes<T>)
            stencil_rows<1, 8>(p, x, out, x_row, out_row, width);
          else
            stencil_rows<1, kStencilVectors>(p, x, out, x_row, out_row, width);
        }
      },
      parallel);
}

}  // namespace
}  // namespace multiconv::MC_TARGET
