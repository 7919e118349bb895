// Separable kernels, one channel at a time: a pass along every axis, all of them while the data are
// in cache.
//
// The first pass, along the first axis that has taps, reads the input in place and makes a few
// slabs of a tile and its halo. The pass along the next axis makes rows of them, or thinner slabs,
// and the pass along the last axis writes the output. Nothing but the input and the output passes
// through memory, and only the first pass is repeated in halos. Along the second axis slabs hold a
// part of a tile at a time; the halo that one part shares with the next is moved, not made again.
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/kernel.hpp"
#include "kernels/stencil.hpp"
#include "simd/hints.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kRowBytes = 24 << 10;    // of a few rows, which stay in the first-level cache
inline constexpr i64 kSlabBytes = 320 << 10;  // of a few slabs, which stay in the second-level one
inline constexpr i64 kBandRows = 128;         // of a tile, along the axis after the first
inline constexpr i64 kFarBytes = 8 << 20;     // of results that go past the caches
inline constexpr i64 kFusedTasks = 16;        // that make work to share

// Rows of many taps that are made at once, and their vectors: the more, the less often each row of
// the input is read.
inline constexpr int kManyRows = MC_REGISTERS >= 32 ? 8 : 4;
inline constexpr int kManyVectors = MC_REGISTERS >= 32 ? 3 : 2;
inline constexpr i64 kManyTaps = 2 * kManyRows;

// How the tiles lie. Axes before `top` have one tap and are gone through one by one.
struct Tiling {
  int top, last;
  i64 span[kMaxRank];   // from the first tap to one past the last
  i64 tile[kMaxRank];   // outputs of a tile
  i64 part;             // of them that slabs hold at once, on the axis after the first
  i64 group;            // slabs that the first pass makes at once
  i64 count[kMaxRank];  // tiles
  i64 slab[kMaxRank];   // samples of a tile and its halo, on this axis and those behind it
  i64 tasks;
  i64 numbers;  // scratch of a task
};

MC_INLINE int first_axis(const Desc& d) {
  int a = 0;
  while (a < d.rank && d.kernel[a] == 1) ++a;
  return a;
}

template <class T>
struct Fused {
  static constexpr i64 kItem = sizeof(T);

  static i64 padded(i64 n) { return ceil_div(n, kLanes<T>) * kLanes<T>; }

  // Sizes that follow from the tile.
  static void measure_tiling(const Desc& d, Tiling& t) {
    t.tasks = d.batch * d.groups * d.out_channels;
    for (int a = t.last; a >= 0; --a) {
      t.count[a] = ceil_div(d.out_size[a], t.tile[a]);
      t.tasks *= t.count[a];
      const i64 n = (a == t.top + 1 ? t.part : t.tile[a]) + t.span[a] - 1;
      // Rows of a power of two would all meet in the same lines of the cache.
      t.slab[a] = a == t.last ? padded(n) + kLanes<T> + 64 / kItem : n * t.slab[a + 1];
    }
    t.numbers = t.slab[t.last];
    for (int a = t.top; a < t.last; ++a) t.numbers += rows_of(d, a) * t.slab[a + 1];
  }

  // Rows that a pass makes at once.
  static i64 rows_of(const Desc& d, int a) {
    return d.dilation[a] == 1 && d.kernel[a] >= kManyTaps ? kManyRows : kStencilRows;
  }

  static Tiling choose_tiling(const Desc& d) {
    Tiling t{};
    t.last = d.rank - 1;
    t.top = first_axis(d);
    t.group = rows_of(d, t.top);
    for (int a = 0; a < d.rank; ++a) {
      t.span[a] = (d.kernel[a] - 1) * d.dilation[a] + 1;
      t.tile[a] = a < t.top ? 1 : d.out_size[a];
    }
    const i64 room = kRowBytes / kItem / t.group - t.span[t.last];
    t.tile[t.last] = split(d.out_size[t.last], max_of(room, 2 * t.span[t.last]));
    t.part = t.tile[t.top + 1];
    measure_tiling(d, t);
    for (int a = t.top + 1; a < t.last; ++a) {
      const i64 rows = kSlabBytes / kItem / t.group / t.slab[a + 1] - t.span[a];
      t.tile[a] = split(d.out_size[a], max_of(rows, max_of(t.span[a], 4)));
      t.part = t.tile[t.top + 1];
      measure_tiling(d, t);
    }
    if (t.top + 1 < t.last) {
      t.tile[t.top + 1] = split(d.out_size[t.top + 1], max_of(kBandRows, t.part));
      measure_tiling(d, t);
    }
    const i64 bands = min_of(ceil_div(kFusedTasks, t.tasks), ceil_div(d.out_size[t.top], 16));
    t.tile[t.top] = ceil_div(d.out_size[t.top], bands);
    measure_tiling(d, t);
    return t;
  }

  // The size of equal parts of n, none larger than `most`.
  static i64 split(i64 n, i64 most) { return ceil_div(n, ceil_div(n, most)); }

  static i64 factors(const Desc& d) {
    i64 n = 0;
    for (int a = 0; a < d.rank; ++a) n += d.kernel[a];
    return n;
  }

  static std::size_t packed_bytes(const Desc& d) {
    return static_cast<std::size_t>(d.groups * d.out_channels * factors(d)) * sizeof(T);
  }

  // The lines of taps through the largest one along every axis; all but the first pass's over it.
  static void pack(const Desc& d, const ConstView& w, void* packed) {
    const T* from = static_cast<const T*>(w.data);
    T* to = static_cast<T*>(packed);
    const i64 taps = taps_of(d);
    const int top = first_axis(d);
    for (i64 g = 0; g < d.groups; ++g)
      for (i64 o = 0; o < d.out_channels; ++o) {
        auto tap = [&](i64 t) { return from[w_element(d, w.strides, g, o, 0, t)]; };
        i64 peak = 0;
        T most = T(0);
        for (i64 t = 0; t < taps; ++t) {
          const T size = tap(t) < T(0) ? -tap(t) : tap(t);
          if (size > most) {
            most = size;
            peak = t;
          }
        }
        const T height = most > T(0) ? tap(peak) : T(1);
        i64 below = taps;
        for (int a = 0; a < d.rank; ++a) {
          below /= d.kernel[a];
          const i64 place = peak / below % d.kernel[a];
          for (i64 k = 0; k < d.kernel[a]; ++k)
            *to++ = tap(peak + (k - place) * below) / (a == top ? T(1) : height);
        }
      }
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const Tiling t = choose_tiling(d);
    return static_cast<std::size_t>(threads) *
           (static_cast<std::size_t>(t.numbers) * sizeof(T) + table_bytes(t));
  }

  static std::size_t table_bytes(const Tiling& t) {
    return static_cast<std::size_t>(t.tile[t.top] + t.span[t.top]) * sizeof(void*);
  }

  // One tile of input that is stored as S.
  template <class S>
  struct Tile {
    const RunArgs& args;
    const Desc& d;
    const Tiling& t;
    const T* factor[kMaxRank];
    i64 filter;  // output channel, over all groups
    T bias;      // what sums begin with
    i64 first[kMaxRank], size[kMaxRank];
    const S** rows;      // of the input on the first pass's axis; null where they lie outside
    T* slabs[kMaxRank];  // what the pass along an axis makes
    T* line;             // a row on its way to the output
    T beyond;            // what the first pass makes of the constant beyond the boundary
    bool far;            // results outgrow the caches
    const S* blank;      // vectors of the constant beyond the boundary; null where S cannot hold it

    At out_step(int a) const { return step_of(args, 3 + a); }
    i64 source(int a, i64 i) const {
      return resolve_index(first[a] + i - d.pad_low[a], d.in_size[a], d.boundary[a]);
    }
    bool grouped(int a) const { return d.dilation[a] == 1 && d.kernel[a] > 1; }

    // The first pass, a few slabs at a time, and what follows it. `out`: the tile's first element.
    void run(At out) {
      const int a = t.top;
      const i64 slab = t.slab[a + 1];
      for (i64 i = 0; i < size[a];) {
        const i64 count = rows_at(a, i, [&](i64 rows) { return none_outside(i, rows); });
        each_part([&](i64 part, i64 kept) {
          with_rows(count, [&]<int R>() { first_slabs<R>(i, kept); });
          const At at = out + part * out_step(a + 1);
          for (i64 r = 0; r < count; ++r)
            next(a + 1, slabs[a] + r * slab, at + (i + r) * out_step(a));
        });
        i += count;
      }
    }

    // How many rows of axis a, from number i on, are made at once.
    template <class Fit>
    i64 rows_at(int a, i64 i, Fit&& fit) const {
      if (!grouped(a)) return 1;
      for (const i64 rows : {rows_of(d, a), static_cast<i64>(kStencilRows)})
        if (i + rows <= size[a] && fit(rows)) return rows;
      return 1;
    }

    template <class F>
    static void with_rows(i64 rows, F&& f) {
      if (rows == 1)
        f.template operator()<1>();
      else if (rows == kStencilRows)
        f.template operator()<kStencilRows>();
      else
        f.template operator()<kManyRows>();
    }

    // Goes along the axis after the first, as much at a time as slabs hold. Calls `f` with where a
    // part begins and how many rows are made already: those that its windows share with the last's.
    template <class F>
    void each_part(F&& f) {
      const int a = t.top + 1;
      const i64 begin = first[a], all = size[a];
      for (i64 part = 0, kept = 0; part < all; part += t.part, kept = t.span[a] - 1) {
        if (part > 0) move_rows(t.part, kept);
        first[a] = begin + part;
        size[a] = min_of(t.part, all - part);
        f(part, kept);
      }
      first[a] = begin;
      size[a] = all;
    }

    // To the beginning of each slab.
    void move_rows(i64 from, i64 count) {
      const i64 slab = t.slab[t.top + 1], row = t.slab[t.top + 2];
      for (T* to = slabs[t.top]; to < slabs[t.top] + t.group * slab; to += slab)
        std::memmove(to, to + from * row, static_cast<std::size_t>(count * row) * sizeof(T));
    }

    bool none_outside(i64 i, i64 count) const {
      if (blank) return true;
      for (i64 j = 0; j < t.span[t.top] + count - 1; ++j)
        if (rows[i + j] == nullptr) return false;
      return true;
    }

    // Slabs number i and on: every row of the axes between the first and the last, but the first
    // `kept` of the former.
    template <int R>
    void first_slabs(i64 i, i64 kept) {
      i64 index[kMaxRank] = {};
      index[t.top + 1] = kept;
      for (;;) {
        i64 at = 0;
        T* to = slabs[t.top];
        for (int b = t.top + 1; b < t.last; ++b) {
          const i64 s = source(b, index[b]);
          at = at == kOutside || s == kOutside ? kOutside : at + s * args.x.strides[3 + b];
          to += index[b] * t.slab[b + 1];
        }
        first_row<R>(i, at, to);
        int b = t.last - 1;
        while (b > t.top && ++index[b] == size[b] + t.span[b] - 1) index[b--] = 0;
        if (b == t.top) break;
      }
    }

    // One row and its halo of R slabs, from the inputs' elements `at` on.
    template <int R>
    void first_row(i64 i, i64 at, T* to) {
      const int a = t.last;
      const i64 n = size[a] + t.span[a] - 1, start = first[a] - d.pad_low[a];
      const i64 begin = min_of(max_of(-start, 0), n);
      const i64 end = max_of(min_of(n, d.in_size[a] - start), begin);
      const i64 slab = t.slab[t.top + 1];
      if (at != kOutside) sum_columns<R>(i, at + start + begin, end - begin, to + begin);
      for (int r = 0; r < R; ++r, to += slab) {
        fill(to + n, t.slab[a] - n, T(0));
        for (i64 q = 0; q < n; ++q) {
          if (at != kOutside && q == begin) q = end;
          if (q == n) break;
          const i64 s =
              at == kOutside ? kOutside : resolve_index(start + q, d.in_size[a], d.boundary[a]);
          const i64 same = s - start;
          to[q] = s == kOutside                 ? beyond
                  : same >= begin && same < end ? to[same]
                                                : sum_one(i + r, at + s);
        }
      }
    }

    T sum_one(i64 i, i64 at) const {
      T sum = T(0);
      for (i64 k = 0; k < d.kernel[t.top]; ++k) {
        const S* row = rows[i + k * d.dilation[t.top]];
        sum += (row ? static_cast<T>(row[at]) : boundary_value<T>(d, 0)) * factor[t.top][k];
      }
      return sum;
    }

    template <int R>
    void sum_columns(i64 i, i64 at, i64 n, T* to) {
      i64 q = 0;
      if (R > 1 || none_missing(i)) {
        constexpr int V = vectors_of<R>;
        for (; q + V * kLanes<T> <= n; q += V * kLanes<T>) sum_block<R, V>(i, at + q, to + q);
        for (; q + kLanes<T> <= n; q += kLanes<T>) sum_block<R, 1>(i, at + q, to + q);
        if (q < n && n >= kLanes<T>) {
          q = n - kLanes<T>;
          sum_block<R, 1>(i, at + q, to + q);
          return;
        }
      }
      for (; q < n; ++q)
        for (int r = 0; r < R; ++r) to[r * t.slab[t.top + 1] + q] = sum_one(i + r, at + q);
    }

    bool none_missing(i64 i) const {
      if (blank) return true;
      for (i64 k = 0; k < d.kernel[t.top]; ++k)
        if (rows[i + k * d.dilation[t.top]] == nullptr) return false;
      return true;
    }

    template <int R, int V>
    void sum_block(i64 i, i64 at, T* to) {
      if constexpr (R > 1) fetch_ahead<R, V>(i, at);
      const i64 step = R == 1 ? d.dilation[t.top] : 1, slab = t.slab[t.top + 1];
      const auto row = [&](i64 j) {
        const S* from = rows[i + j];
        return from ? from + at : blank;
      };
      const Plane<T> p{nullptr, factor[t.top],   nullptr, T(0), 1, 0,    1,
                       nullptr, d.kernel[t.top], 0,       1,    0, false};
      Vec<T> acc[R][V];
      for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) acc[r][v] = splat(T(0));
      if constexpr (R == 1)
        for (i64 k = 0; k < p.rows; ++k) add_row<V, 0, 1>(p, row(k * step), p.w + k, acc);
      else
        add_group<R, V>(p, row, p.w, acc);
      for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) store(to + r * slab + v * kLanes<T>, acc[r][v]);
    }

    // Asks for the rows that the next group will be the first to read.
    template <int R, int V>
    void fetch_ahead(i64 i, i64 at) const {
      const i64 first = i + t.span[t.top] - 1 + R;
      const i64 last = size[t.top] + t.span[t.top] - 1;
      for (i64 r = first; r < min_of(first + R, last); ++r)
        for (i64 q = 0; rows[r] && q < V * kLanes<T>; q += 64 / static_cast<i64>(sizeof(S)))
          __builtin_prefetch(rows[r] + at + q);
    }

    // The passes along axis a and those behind it, from a slab to the output from `out` on.
    void next(int a, const T* slab, At out) {
      if (a == t.last) return last_row(slab, out);
      const i64 thin = t.slab[a + 1];
      if (d.kernel[a] == 1) {
        for (i64 i = 0; i < size[a]; ++i) next(a + 1, slab + i * thin, out + i * out_step(a));
        return;
      }
      const i64 none = 0, width = used(a + 1);
      const Plane<T> p{nullptr, factor[a], nullptr, T(0),        1,
                       0,       1,         &none,   d.kernel[a], d.dilation[a] * thin,
                       1,       0,         false};
      for (i64 i = 0; i < size[a];) {
        const i64 count = rows_at(a, i, [](i64) { return true; });
        with_rows(count,
                  [&]<int R>() { blocks<R>(p, slab + i * thin, slabs[a], thin, thin, width); });
        for (i64 r = 0; r < count; ++r, ++i)
          next(a + 1, slabs[a] + r * thin, out + i * out_step(a));
      }
    }

    // Samples of a slab up to the end of its last row.
    i64 used(int a) const {
      i64 n = padded(size[t.last] + t.span[t.last] - 1);
      for (int b = t.last - 1; b >= a; --b) n += (size[b] + t.span[b] - 2) * t.slab[b + 1];
      return n;
    }

    void last_row(const T* row, At out) {
      const int a = t.last;
      const i64 none = 0, n = size[a];
      const At step = out_step(a);
      const bool plain = is_plain(d) && d.out_type == d.compute && step.out == 1 && n >= kLanes<T>;
      const Plane<T> p{nullptr, factor[a], nullptr,     bias,          1,    0, 1, &none,
                       1,       0,         d.kernel[a], d.dilation[a], false};
      if (plain && !far) {
        T* to = static_cast<T*>(args.out.data) + out.out;
        return blocks<1>(p, row, to, 0, 0, n);
      }
      blocks<1>(p, row, line, 0, 0, padded(n));
      if (plain) return stream_row(static_cast<T*>(args.out.data) + out.out, n);
      finish_row(args, filter, out.residual, step.residual, line, n);
      as_stored<T>(d.out_type, args.out.data,
                   [&](auto* typed) { store_row(line, typed + out.out, step.out, n); });
    }

    // The line goes past the caches, but for what does not begin with a vector.
    void stream_row(T* to, i64 n) const {
      i64 i = 0;
      for (; i < n && reinterpret_cast<std::uintptr_t>(to + i) % sizeof(Vec<T>) != 0; ++i)
        to[i] = line[i];
      for (; i + kLanes<T> <= n; i += kLanes<T>) stream<T>(to + i, load(line + i));
      for (; i < n; ++i) to[i] = line[i];
    }

    template <int R>
    static constexpr int vectors_of = R == 1              ? kShortLine
                                      : R == kStencilRows ? kStencilVectors
                                                          : kManyVectors;

    // The widest blocks that a row has room for.
    template <int R>
    static void blocks(const Plane<T>& p, const T* x, T* to, i64 x_row, i64 to_row, i64 width) {
      constexpr int V = vectors_of<R>;
      if (R == 1 && p.is_line() && width >= kLongLine * kLanes<T>)
        stencil_rows<R, kLongLine>(p, x, to, x_row, to_row, width);
      else if (width >= V * kLanes<T>)
        stencil_rows<R, V>(p, x, to, x_row, to_row, width);
      else if (width >= 2 * kLanes<T>)
        stencil_rows<R, 2>(p, x, to, x_row, to_row, width);
      else
        stencil_rows<R, 1>(p, x, to, x_row, to_row, width);
    }
  };

  static void run(const RunArgs& args) {
    const Desc& d = args.desc;
    const Tiling t = choose_tiling(d);
    args.pool.parallel_for(
        t.tasks,
        [&](i64 task, int) {
          as_stored<T>(d.x_type, args.x.data, [&](auto* x) { run_tile(args, t, x, task); });
        },
        work_of(d) > 1 << 16);
  }

  // Whether S holds what lies beyond the boundary, which then is in all `n` elements.
  template <class S>
  static bool fill_with_constant(const Desc& d, S* to, i64 n) {
    const T value = boundary_value<T>(d, 0);
    if constexpr (!std::is_same_v<S, T>)
      if (!(value >= T(std::numeric_limits<S>::min()) &&
            value <= T(std::numeric_limits<S>::max()) && value == T(static_cast<S>(value))))
        return false;
    fill(to, n, static_cast<S>(value));
    return true;
  }

  template <class S>
  static void run_tile(const RunArgs& args, const Tiling& t, const S* x, i64 task) {
    const Desc& d = args.desc;
    S blank[kShortLine * kLanes<T>];
    const bool holds = fill_with_constant(d, blank, kShortLine * kLanes<T>);
    Tile<S> tile{args, d,       t,  {},      0,    T(0),  {},
                 {},   nullptr, {}, nullptr, T(0), false, holds ? blank : nullptr};
    tile.far = d.batch * d.groups * d.out_channels * outputs_of(d) * kItem > kFarBytes;
    At out = {0, 0};
    for (int a = t.last; a >= 0; --a) {
      tile.first[a] = task % t.count[a] * t.tile[a];
      tile.size[a] = min_of(t.tile[a], d.out_size[a] - tile.first[a]);
      task /= t.count[a];
      out += tile.first[a] * step_of(args, 3 + a);
    }
    const i64 o = task % d.out_channels, g = task / d.out_channels % d.groups;
    const i64 n = task / d.out_channels / d.groups, filter = g * d.out_channels + o;
    x += n * args.x.strides[0] + g * args.x.strides[1];
    out += start_of(args, n, g, o);
    tile.filter = filter;
    tile.bias = initial<T>(args, filter);
    const T* factor = static_cast<const T*>(args.packed) + filter * factors(d);
    for (int a = 0; a < d.rank; factor += d.kernel[a++]) tile.factor[a] = factor;
    for (i64 k = 0; k < d.kernel[t.top]; ++k)
      tile.beyond += boundary_value<T>(d, 0) * tile.factor[t.top][k];
    bool inside = true;
    for (int a = 0; a < t.top; ++a) {
      const i64 s = tile.source(a, 0);
      inside = inside && s != kOutside;
      x += inside ? s * args.x.strides[3 + a] : 0;
    }
    tile.rows = static_cast<const S**>(thread_scratch(Slot::table, table_bytes(t)));
    for (i64 i = 0; i < tile.size[t.top] + t.span[t.top] - 1; ++i) {
      const i64 s = tile.source(t.top, i);
      tile.rows[i] = inside && s != kOutside ? x + s * args.x.strides[3 + t.top] : nullptr;
    }
    T* memory = static_cast<T*>(
        thread_scratch(Slot::tile, static_cast<std::size_t>(t.numbers) * sizeof(T)));
    tile.line = memory;
    memory += t.slab[t.last];
    for (int a = t.top; a < t.last; ++a) {
      tile.slabs[a] = memory;
      memory += rows_of(d, a) * t.slab[a + 1];
    }
    tile.run(out);
    if (tile.far) end_stream();
  }
};

template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  return d.compute == DType::f32 ? f(Fused<float>{}) : f(Fused<double>{});
}

const char* accepts(const Desc& d) {
  if (d.compute != DType::f32 && d.compute != DType::f64) return "it computes in real floats";
  if (d.in_channels != 1) return "it treats input channels one by one";
  for (int a = 0; a < d.rank; ++a)
    if (d.stride[a] != 1 || d.in_dilation[a] != 1) return "it takes every sample";
  if (first_axis(d) >= d.rank - 1) return "one axis leaves nothing to fuse";
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

extern const Kernel fused_kernel;
const Kernel fused_kernel = {"fused", accepts, packed_bytes, pack, scratch_bytes, run, true};

}  // namespace multiconv::MC_TARGET
