// Rows of the input as they are staged: boundary, stride and stored type resolved, so that a tap is
// an offset. Pixels stand side by side, a stride's phases apart from each other; or each pixel is a
// vector of channels.
#pragma once

#include "kernels/lanes.hpp"
#include "kernels/tile.hpp"
#include "simd/partial.hpp"

namespace multiconv::MC_TARGET {
namespace {

// The last axis of a strip of outputs.
struct Columns {
  i64 first;       // what position 0 reads
  i64 span;        // positions
  i64 begin, end;  // those on the input
  i64 phases;      // of neighbouring positions
  i64 step;        // between the places of a phase
  i64 phase;       // between phases
  i64 shift;       // of all places, for the sake of alignment
  i64 pitch;       // between rows, with a tail that vectors may run over

  i64 place(i64 p) const { return shift + p % phases * phase + p / phases * step; }
};

template <class T>
Columns columns_for(const Desc& d, i64 first_out, i64 width, bool by_lane) {
  constexpr i64 lanes = kLanes<T>;
  const int a = d.rank - 1;
  Columns c;
  c.first = first_out * d.stride[a] - d.pad_low[a];
  c.span = (width - 1) * d.stride[a] + (d.kernel[a] - 1) * d.dilation[a] + 1;
  c.begin = min_of(max_of(-c.first, 0), c.span);
  c.end = max_of(min_of(d.in_size[a] - c.first, c.span), c.begin);
  c.phases = by_lane ? 1 : d.stride[a];
  c.step = by_lane ? lanes : 1;
  c.shift = by_lane ? 0 : (lanes - c.begin / c.phases % lanes) % lanes;
  c.phase = ceil_div(ceil_div(c.span, c.phases) * c.step, lanes) * lanes + lanes;
  c.pitch = c.phases * c.phase + (c.shift > 0 ? lanes : 0);
  return c;
}

// What the boundary makes of places that no input is copied to.
template <class T>
void fill_margins(const Columns& c, T value, T* row) {
  if (c.phases > 1) return fill(row, c.pitch, value);
  fill(row, c.place(c.begin), value);
  fill(row + c.place(c.end), c.pitch - c.place(c.end), value);
}

// n numbers; what follows them becomes 0 up to a vector's end where `may_clear` is set.
template <class T, class S>
MC_INLINE void copy_run(const S* x, i64 n, T* to, bool may_clear) {
  if (n >= kLanes<T>) {
    for (i64 i = 0;;) {
      store(to + i, load_as<T>(x + i));
      if (i + kLanes<T> == n) break;
      i = min_of(i + kLanes<T>, n - kLanes<T>);
    }
  } else if constexpr (sizeof(S) == sizeof(T)) {
    const Vec<T> v = load_first(reinterpret_cast<const T*>(x), n);
    if (may_clear)
      store(to, v);
    else
      store_first(to, v, n);
  } else {
    for (i64 i = 0; i < n; ++i) to[i] = static_cast<T>(x[i]);
  }
}

// Every second number of n to `even`, the others to `odd`.
template <class T>
MC_INLINE void part_run(const T* x, i64 n, T* even, T* odd) {
  constexpr i64 lanes = kLanes<T>;
  if constexpr (lanes == 1) {
    for (i64 i = 0; i < n; ++i) (i % 2 ? odd : even)[i / 2] = x[i];
  } else {
    constexpr std::make_integer_sequence<int, kLanes<T>> all{};
    const auto part = [&](i64 i, Vec<T> a, Vec<T> b, i64 evens, i64 odds) {
      const Vec<T> e = pick<[](int k) { return 2 * k; }>(a, b, all);
      const Vec<T> o = pick<[](int k) { return 2 * k + 1; }>(a, b, all);
      if (odds == lanes) {
        store(even + i / 2, e);
        store(odd + i / 2, o);
      } else {
        store_first(even + i / 2, e, evens);
        store_first(odd + i / 2, o, odds);
      }
    };
    i64 i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes)
      part(i, load(x + i), load(x + i + lanes), lanes, lanes);
    if (const i64 rest = n - i; rest > 0)
      part(i, load_first(x + i, min_of(rest, lanes)),
           load_first(x + i + min_of(rest, lanes), max_of(rest - lanes, 0)), (rest + 1) / 2,
           rest / 2);
  }
}

// to[j * to_apart + i] = from[i * apart + j] for i < rows and j < columns, both at most a vector's;
// vectors that are not whole are filled with zeros where `whole` is set, else left as they are.
template <class T, bool whole = true>
MC_INLINE void turn(const T* from, i64 apart, i64 rows, i64 columns, T* to, i64 to_apart) {
  constexpr int lanes = kLanes<T>;
  Vec<T> v[lanes] = {};
  for (int l = 0; l < lanes; ++l)
    if (l < rows) v[l] = load_first(from + l * apart, columns);
  transpose<T>(v);
  for (int l = 0; l < lanes; ++l) {
    if (l >= columns) break;
    if constexpr (whole)
      store(to + l * to_apart, v[l]);
    else
      store_first(to + l * to_apart, v[l], rows);
  }
}

// Calls f(position, element) for positions outside the input that the boundary gives elements.
template <class F>
MC_INLINE void each_continued(const Desc& d, const Columns& c, F&& f) {
  const int a = d.rank - 1;
  if (d.boundary[a] == Boundary::constant) return;
  for (i64 p = c.begin == 0 ? c.end : 0; p < c.span; p = p + 1 == c.begin ? c.end : p + 1)
    f(p, resolve_index(c.first + p, d.in_size[a], d.boundary[a]));
}

// Rows to be staged: what each reads, as an offset, or nothing; and where it goes.
template <class T>
struct RowList {
  const i64* source;
  const T* const* to;
  i64 count;
};

inline constexpr i64 kNowhere = i64(1) << 62;

template <class T, class F>
MC_INLINE void each_row(const RowList<T>& rows, F&& f) {
  for (i64 i = 0; i < rows.count; ++i)
    if (rows.source[i] != kNowhere) f(rows.source[i], const_cast<T*>(rows.to[i]));
}

// Rows of one channel, which x points to; `step` is the distance of neighbours.
template <class T, class S>
void stage_pixels(const Desc& d, const Columns& c, const S* x, i64 step, const RowList<T>& rows) {
  const i64 n = c.end - c.begin, first = (c.first + c.begin) * step;
  const i64 begin = c.place(c.begin), next = c.place(c.begin + 1);
  if (step == 1 && c.phases == 1) {
    const bool may_clear = d.cval[0] == 0 && d.cval_bits == 0;
    each_row(rows, [&](i64 from, T* to) { copy_run(x + from + first, n, to + begin, may_clear); });
  } else if (sizeof(S) == sizeof(T) && step == 1 && c.phases == 2) {
    if constexpr (sizeof(S) == sizeof(T))
      each_row(rows, [&](i64 from, T* to) {
        part_run(reinterpret_cast<const T*>(x) + from + first, n, to + begin, to + next);
      });
  } else {
    each_row(rows, [&](i64 from, T* to) {
      for (i64 phase = c.begin; phase < min_of(c.begin + c.phases, c.end); ++phase) {
        T* place = to + c.place(phase);
        const S* sample = x + from + (c.first + phase) * step;
        const i64 count = ceil_div(c.end - phase, c.phases), apart = c.phases * step;
        for (i64 i = 0; i < count; ++i) place[i * c.step] = static_cast<T>(sample[i * apart]);
      }
    });
  }
  if (d.boundary[d.rank - 1] == Boundary::constant) return;
  each_row(rows, [&](i64 from, T* to) {
    each_continued(d, c,
                   [&](i64 p, i64 e) { to[c.place(p)] = static_cast<T>(x[from + e * step]); });
  });
}

// Rows of `count` neighbouring channels, the first of which is number `channel` of those that each
// channel of the input is repeated for `times` times; x is pixel 0 of channel 0.
template <class T, class S>
void stage_channels(const Desc& d, const Columns& c, const S* x, i64 step, i64 channel, i64 times,
                    i64 count, const RowList<T>& rows) {
  constexpr i64 lanes = kLanes<T>;
  if (times == 1 && count == lanes && d.boundary[d.rank - 1] == Boundary::constant) {
    const i64 last = rows.count - 1;
    const i64 ahead = last > 0 ? rows.source[last] - rows.source[0] : 0;
    each_row(rows, [&](i64 from, T* to) {
      const S* pixel = x + from + channel + (c.first + c.begin) * step;
      for (i64 p = c.begin; p < c.end; ++p, pixel += step) {
        __builtin_prefetch(pixel + ahead);
        store(to + p * lanes, load_as<T>(pixel));
      }
    });
    return;
  }
  each_row(rows, [&](i64 from, T* to) {
    const auto stage = [&](i64 p, i64 e) {
      const S* pixel = x + from + e * step;
      T* vector = to + p * lanes;
      if (sizeof(S) == sizeof(T) && times == 1) {
        if constexpr (sizeof(S) == sizeof(T))
          store(vector, load_first(reinterpret_cast<const T*>(pixel + channel), count));
      } else {
        for (i64 l = 0; l < lanes; ++l)
          vector[l] = l < count ? static_cast<T>(pixel[(channel + l) / times]) : T(0);
      }
    };
    for (i64 p = c.begin; p < c.end; ++p) stage(p, c.first + p);
    each_continued(d, c, stage);
  });
}

// The same for channels `apart` from each other, whose pixels are neighbours.
template <class T, class S>
void stage_turned(const Desc& d, const Columns& c, const S* x, i64 apart, i64 count,
                  const RowList<T>& rows) {
  constexpr i64 lanes = kLanes<T>;
  const auto copy = [&](const S* row, T* to, i64 p, i64 e) {
    for (i64 l = 0; l < lanes; ++l)
      to[p * lanes + l] = l < count ? static_cast<T>(row[l * apart + e]) : T(0);
  };
  each_row(rows, [&](i64 from, T* to) {
    if constexpr (sizeof(S) == sizeof(T)) {
      const T* row = reinterpret_cast<const T*>(x) + from + c.first;
      for (i64 p = c.begin; p < c.end; p += lanes)
        turn<T>(row + p, apart, count, min_of(lanes, c.end - p), to + p * lanes, lanes);
    } else {
      for (i64 p = c.begin; p < c.end; ++p) copy(x + from, to, p, c.first + p);
    }
    each_continued(d, c, [&](i64 p, i64 e) { copy(x + from, to, p, e); });
  });
}

}  // namespace
}  // namespace multiconv::MC_TARGET
