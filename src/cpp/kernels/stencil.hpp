// Outputs whose windows lie wholly inside the input, read in place and written in place: no box, no
// line buffer. Several rows at once share each load of the input.
//
// Every output is summed in the same order as by the boxes (channel, then tap by tap), so that the
// bits do not tell which way it was made; but for lines of many taps.
#pragma once

#include "base/kernel.hpp"
#include "kernels/line.hpp"
#include "kernels/tile.hpp"
#include "simd/hints.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kStencilRows = 4;
inline constexpr int kStencilVectors = MC_REGISTERS >= 32 ? 4 : 2;
inline constexpr i64 kStencilColumns = 512;  // of a task: its rows stay in the first-level cache
inline constexpr i64 kStencilTaskRows = 32;
inline constexpr i64 kNear = 3 << 19;     // bytes of results that the second-level cache holds
inline constexpr i64 kFar = 12 << 20;     // bytes of results that no cache holds
inline constexpr i64 kInPlace = 1 << 14;  // outputs below which one set of boxes does it all

// The outputs, per axis, that need no boundary.
struct Interior {
  i64 first[kMaxRank], size[kMaxRank];
};

// False where in-place work is impossible or not worth it.
template <class T>
MC_INLINE bool find_interior(const Desc& d, const i64* x_strides, const i64* out_strides,
                             Interior& in) {
  const int last = d.rank - 1;
  if (outputs_of(d) < kInPlace) return false;
  if (x_strides[3 + last] != 1 || out_strides[3 + last] != 1) return false;
  for (int a = 0; a < d.rank; ++a) {
    if (d.stride[a] != 1 || d.in_dilation[a] != 1) return false;
    const i64 end = d.in_size[a] - (d.kernel[a] - 1) * d.dilation[a] + d.pad_low[a];
    in.first[a] = min_of(max_of(d.pad_low[a], 0), d.out_size[a]);
    in.size[a] = min_of(end, d.out_size[a]) - in.first[a];
    if (in.size[a] <= 0) return false;
  }
  return in.size[last] >= kStencilVectors * kLanes<T> && in.size[last] * 2 >= d.out_size[last];
}

// Where a tap reads, from where tap 0 does; `strides` are the spatial ones.
MC_INLINE i64 sample_offset(const Desc& d, const i64* strides, i64 tap) {
  i64 offset = 0;
  for (int a = d.rank - 1; a >= 0; --a) {
    offset += tap % d.kernel[a] * d.dilation[a] * strides[a];
    tap /= d.kernel[a];
  }
  return offset;
}

// The frame around the interior: calls `run` for two slabs an axis.
template <class Out, class Run>
void each_slab(const RunArgs& args, const Interior& in, Run&& run) {
  const Desc& d = args.desc;
  Desc slab = d;
  View out = args.out;
  ConstView residual = args.residual;
  const auto advance = [&](int a, i64 n, View& o, ConstView& r) {
    o.data = static_cast<Out*>(o.data) + n * o.strides[3 + a];
    if (d.has_residual) r.data = static_cast<const Out*>(r.data) + n * r.strides[3 + a];
  };
  for (int a = 0; a < d.rank; ++a) {
    const i64 end = in.first[a] + in.size[a];
    const i64 starts[] = {0, end}, sizes[] = {in.first[a], d.out_size[a] - end};
    for (int side = 0; side < 2; ++side) {
      if (sizes[side] == 0) continue;
      slab.out_size[a] = sizes[side];
      slab.pad_low[a] = d.pad_low[a] - starts[side];
      View at = out;
      ConstView of = residual;
      advance(a, starts[side], at, of);
      run({slab, args.packed, args.x, args.bias, at, args.pool, args.scale, of});
    }
    slab.out_size[a] = in.size[a];
    slab.pad_low[a] = d.pad_low[a] - in.first[a];
    advance(a, in.first[a], out, residual);
  }
}

// A task's share of the interior: rows of outputs and the input that tap 0 reads for them.
template <class T, class S = T>
struct Strip {
  i64 group, channel;
  T bias;  // what sums begin with
  const S* x;
  T* out;  // where results are stored as they are computed
  At at;   // the first output, in elements as they are stored
  At out_row;
  i64 x_row, rows, width;
};

// The widest strip: rows of it stay in the first-level cache.
MC_INLINE i64 strip_columns(const Desc& d, const Interior& in) {
  const i64 columns = in.size[d.rank - 1];
  return ceil_div(columns, max_of(columns / (d.rank > 1 ? 1 : 16) / kStencilColumns, 1));
}

template <class T>
MC_INLINE T* row_scratch(i64 pitch) {
  const auto numbers = static_cast<std::size_t>(kStencilRows * pitch);
  return static_cast<T*>(thread_scratch(Slot::line, numbers * sizeof(T)));
}

// Calls `f` with every strip of the interior.
template <class T, class S = T, class F>
void each_strip(const RunArgs& args, const Interior& in, bool parallel, F&& f) {
  const Desc& d = args.desc;
  const int last = d.rank - 1, row_axis = d.rank - 2;
  const i64* xs = args.x.strides;
  const i64 rows = d.rank > 1 ? in.size[row_axis] : 1;
  const i64 strips = ceil_div(in.size[last], strip_columns(d, in));
  const i64 bands = ceil_div(rows, kStencilTaskRows);
  i64 planes = 1;
  for (int a = 0; a < row_axis; ++a) planes *= in.size[a];

  args.pool.parallel_for(
      d.batch * d.groups * d.out_channels * planes * bands * strips,
      [&](i64 task, int) {
        const i64 number = task % strips;
        task /= strips;
        const i64 band = task % bands;
        task /= bands;
        i64 plane = task % planes;
        task /= planes;
        Strip<T, S> s;
        s.channel = task % d.out_channels;
        s.group = task / d.out_channels % d.groups;
        const i64 n = task / d.out_channels / d.groups, o = s.group * d.out_channels + s.channel;
        const i64 left = in.size[last] * number / strips, top = band * kStencilTaskRows;
        s.width = in.size[last] * (number + 1) / strips - left;
        s.rows = min_of(kStencilTaskRows, rows - top);
        s.x_row = d.rank > 1 ? xs[3 + row_axis] : 0;
        s.out_row = d.rank > 1 ? step_of(args, 3 + row_axis) : At{0, 0};
        s.bias = initial<T>(args, o);

        i64 x_at = n * xs[0] + s.group * xs[1];
        s.at = start_of(args, n, s.group, s.channel);
        auto move = [&](int a, i64 within) {
          const i64 at = in.first[a] + within;
          x_at += (at - d.pad_low[a]) * xs[3 + a];
          s.at += at * step_of(args, 3 + a);
        };
        move(last, left);
        if (d.rank > 1) move(row_axis, top);
        for (int a = row_axis - 1; a >= 0; --a) {
          move(a, plane % in.size[a]);
          plane /= in.size[a];
        }
        s.x = static_cast<const S*>(args.x.data) + x_at;
        s.out = static_cast<T*>(args.out.data) + (stored_as<T>(d.out_type) ? s.at.out : 0);
        f(s);
      },
      parallel);
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

  bool far;              // the data outgrow the second-level cache
  bool streams = false;  // and results all caches

  // Of one row of neighbouring taps, where sharing their loads helps.
  bool is_line() const {
    return rows == 1 && outer == 1 && column_step == 1 && shares_loads<T>(columns);
  }
};

// Adds input row `j` of a group to the output rows that see it: Lo <= r < Hi, by tap row j - r.
template <int V, int Lo, int Hi, class T, class S>
MC_INLINE void add_row(const Plane<T>& p, const S* x, const T* w, Vec<T> (*acc)[V]) {
  for (i64 k = 0; k < p.columns; ++k) {
    Vec<T> value[V];
    for (int v = 0; v < V; ++v) {
      value[v] = load_as<T>(x + k * p.column_step + v * kLanes<T>);
      keep<T>(value[v]);
    }
    for (int r = Lo; r < Hi; ++r) {
      const T tap = w[k - r * p.columns];
      for (int v = 0; v < V; ++v) acc[r][v] += value[v] * tap;
    }
  }
}

// All input rows of a group, row(j) for each: those that only the first output rows see, those that
// all see, those that only the last see. Tap rows lie one input row apart, as many as outputs'.
template <int R, int V, class T, class Row, int... i>
MC_INLINE void add_many_rows(const Plane<T>& p, Row&& row, const T* w, Vec<T> (*acc)[V],
                             std::integer_sequence<int, i...>) {
  const i64 n = p.rows, c = p.columns;
  (add_row<V, 0, i + 1>(p, row(i), w + i * c, acc), ...);
  for (i64 j = R - 1; j < n; ++j) add_row<V, 0, R>(p, row(j), w + j * c, acc);
  (add_row<V, i + 1, R>(p, row(n + i), w + (n + i) * c, acc), ...);
}

// The same for any number of rows.
template <int R, int V, class T, class Row>
MC_INLINE void add_rows(const Plane<T>& p, Row&& row, const T* w, Vec<T> (*acc)[V]) {
  static_assert(R == 4);
  const i64 n = p.rows, c = p.columns;
  if (n >= R) {
    add_many_rows<R, V>(p, row, w, acc, std::make_integer_sequence<int, R - 1>{});
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

// The same for any kernel where R is kStencilRows, else for at least R rows.
template <int R, int V, class T, class Row>
MC_INLINE void add_group(const Plane<T>& p, Row&& row, const T* w, Vec<T> (*acc)[V]) {
  if constexpr (R == kStencilRows)
    add_rows<R, V>(p, row, w, acc);
  else
    add_many_rows<R, V>(p, row, w, acc, std::make_integer_sequence<int, R - 1>{});
}

// R output rows by V vectors.
template <int R, int V, class T, class S>
MC_INLINE void stencil_block(const Plane<T>& p, const S* x, T* out, i64 x_row, i64 out_row,
                             bool streams = false) {
  Vec<T> acc[R][V];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) acc[r][v] = splat(p.bias);
  const T* w = p.w;
  for (i64 c = 0; c < p.channels; ++c)
    for (i64 o = 0; o < p.outer; ++o, w += p.rows * p.columns) {
      const S* from = x + c * p.channel_stride + p.outer_offset[o];
      if constexpr (R == 1 && V >= kShortLine && sizeof(S) == sizeof(T))
        if (p.is_line()) {
          add_line<V>(from, w, p.columns, acc[0]);
          continue;
        }
      if constexpr (R == 1)
        for (i64 j = 0; j < p.rows; ++j)
          add_row<V, 0, 1>(p, from + j * p.row_step, w + j * p.columns, acc);
      else
        add_group<R, V>(p, [&](i64 j) { return from + j * x_row; }, w, acc);
    }
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v)
      if (streams)
        stream<T>(out + r * out_row + v * kLanes<T>, acc[r][v]);
      else
        store(out + r * out_row + v * kLanes<T>, acc[r][v]);
}

// Asks for what the next group of rows will be the first to touch: too many rows are read at once
// for the hardware to foresee.
template <int R, int V, class T, class S>
MC_INLINE void fetch_ahead(const Plane<T>& p, const S* x, const T* out, i64 x_row, i64 out_row) {
  constexpr i64 line = 64 / static_cast<i64>(sizeof(T));
  const S* next = x + p.outer_offset[p.outer - 1] + (p.rows - 1 + R) * x_row;
  for (int r = 0; r < R; ++r)
    for (i64 q = 0; q < V * kLanes<T>; q += line) {
      __builtin_prefetch(next + r * x_row + q);
      __builtin_prefetch(out + (R + r) * out_row + q, 1);
    }
}

// Elements until one that begins a vector's place in memory.
template <class T>
MC_INLINE i64 until_aligned(const T* p) {
  return static_cast<i64>(-reinterpret_cast<std::uintptr_t>(p) % sizeof(Vec<T>) / sizeof(T));
}

// Rows of `width` outputs. The last block is moved back to end with the row, and the second to
// where vectors are aligned: they make some outputs twice, the same.
template <int R, int V, class T, class S>
void stencil_rows(const Plane<T>& p, const S* x, T* out, i64 x_row, i64 out_row, i64 width) {
  constexpr i64 step = V * kLanes<T>;
  const i64 aligned = R == 1 ? until_aligned(out) : 0;
  for (i64 q = 0;;) {
    if constexpr (R > 1)
      if (p.far) fetch_ahead<R, V>(p, x + q, out + q, x_row, out_row);
    if (R == 1 && p.streams && (q - aligned) % kLanes<T> == 0)
      stencil_block<R, V>(p, x + q, out + q, x_row, out_row, true);
    else
      stencil_block<R, V>(p, x + q, out + q, x_row, out_row);
    if (q + step == width) break;
    q = min_of(q == 0 && aligned > 0 ? aligned : q + step, width - step);
  }
}

// `offsets` has room for the outer taps. S: how the input is stored.
template <class T, class S>
void stencil(const RunArgs& args, const Interior& in, i64* offsets, bool parallel) {
  const Desc& d = args.desc;
  const int last = d.rank - 1, row_axis = d.rank - 2;
  const i64* xs = args.x.strides;
  Plane<T> shared{};
  shared.channels = d.in_channels;
  shared.channel_stride = xs[2];
  shared.columns = d.kernel[last];
  shared.column_step = d.dilation[last];
  shared.rows = d.rank > 1 ? d.kernel[row_axis] : 1;
  shared.row_step = d.rank > 1 ? d.dilation[row_axis] * xs[3 + row_axis] : 0;
  shared.outer = 1;
  for (int a = 0; a < row_axis; ++a) shared.outer *= d.kernel[a];
  const i64 plane = shared.rows * shared.columns;
  for (i64 o = 0; o < shared.outer; ++o) offsets[o] = sample_offset(d, xs + 3, o * plane);
  shared.outer_offset = offsets;
  shared.far = outputs_of(d) * static_cast<i64>(sizeof(T)) > kNear;
  const bool grouped = d.rank > 1 && d.dilation[row_axis] == 1 && d.kernel[row_axis] > 1;
  const i64 taps = taps_of(d) * d.in_channels;

  const bool direct = stored_as<T>(d.out_type) && is_plain(d);
  shared.far = shared.far && direct;
  shared.streams = d.rank == 1 && direct && outputs_of(d) * static_cast<i64>(sizeof(T)) > kFar;
  const i64 pitch = strip_columns(d, in);

  each_strip<T, S>(args, in, parallel, [&](const Strip<T, S>& s) {
    Plane<T> p = shared;
    p.w = static_cast<const T*>(args.packed) + (s.group * d.out_channels + s.channel) * taps;
    p.bias = s.bias;
    T* sums = direct ? nullptr : row_scratch<T>(pitch);
    auto make = [&]<int R, int V>(i64 y) {
      T* to = direct ? s.out + y * s.out_row.out : sums;
      const i64 to_row = direct ? s.out_row.out : pitch;
      stencil_rows<R, V>(p, s.x + y * s.x_row, to, s.x_row, to_row, s.width);
      if (direct) return;
      as_stored<T>(d.out_type, args.out.data, [&](auto* out) {
        for (int r = 0; r < R; ++r) {
          const At at = s.at + (y + r) * s.out_row;
          finish_row(args, s.group * d.out_channels + s.channel, at.residual,
                     args.residual.strides[3 + last], sums + r * pitch, s.width);
          store_row(sums + r * pitch, out + at.out, 1, s.width);
        }
      });
    };
    i64 y = 0;
    if (grouped)
      for (; y + kStencilRows <= s.rows; y += kStencilRows)
        make.template operator()<kStencilRows, kStencilVectors>(y);
    for (; y < s.rows; ++y)
      if (p.is_line() && s.width >= kLongLine * kLanes<T>)
        make.template operator()<1, kLongLine>(y);
      else if (s.width >= kShortLine * kLanes<T>)
        make.template operator()<1, kShortLine>(y);
      else
        make.template operator()<1, kStencilVectors>(y);
    if (p.streams) end_stream();
  });
}

}  // namespace
}  // namespace multiconv::MC_TARGET
