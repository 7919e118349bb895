// Direct summation that skips the taps that are zero. A zero times NaN or infinity is NaN, so taps
// are skipped only where the data are finite: elsewhere all of them are summed.
#include "kernels/box_sum.hpp"
#include "kernels/finite.hpp"
#include "kernels/stencil.hpp"

namespace multiconv::MC_TARGET {
namespace {

// Taps whose samples lie a row apart, so that a load of one output row serves the next.
struct TapRun {
  i64 offset, count;
};

template <class T>
struct RunList {
  i64 count;
  const TapRun* runs;
  const T* w;
};

// None where too few taps lie so for rows to be worth making together.
template <class T>
RunList<T> find_runs(const TapList<T>& taps, i64 x_row, void* memory) {
  TapRun* runs = static_cast<TapRun*>(memory);
  i64 count = 0, loads = 0;
  for (i64 k = 0; k < taps.count; ++count) {
    i64 n = 1;
    while (k + n < taps.count && taps.offset[k + n] == taps.offset[k] + n * x_row) ++n;
    runs[count] = {taps.offset[k], n};
    loads += n == 1 ? kStencilRows : n + kStencilRows - 1;
    k += n;
  }
  return {4 * loads <= 3 * kStencilRows * taps.count ? count : 0, runs, taps.w};
}

template <int R, int V, class T>
MC_INLINE void finish_block(Vec<T> (*acc)[V], T* out, i64 out_row, Check<T>& check) {
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) store(out + r * out_row + v * kLanes<T>, acc[r][v]);
  for (int r = 0; r < R; ++r) {
    for (int half = V / 2; half > 0; half /= 2)
      for (int v = 0; v < half; ++v) acc[r][v] += acc[r][v + half];
    check.add(acc[r][0]);
  }
}

// One row of V vectors.
template <int V, class T>
MC_INLINE void sparse_block(const TapList<T>& taps, const Strip<T>& s, const T* x, T* out,
                            Check<T>& check) {
  Vec<T> acc[1][V];
  for (int v = 0; v < V; ++v) acc[0][v] = splat(s.bias);
  for (i64 k = 0; k < taps.count; ++k) {
    const T* from = x + taps.offset[k];
    const T tap = taps.w[k];
    for (int v = 0; v < V; ++v) acc[0][v] += load(from + v * kLanes<T>) * tap;
  }
  finish_block<1, V>(acc, out, 0, check);
}

// kStencilRows rows of V vectors.
template <int V, class T>
MC_INLINE void sparse_block(const RunList<T>& list, const Strip<T>& s, const T* x, T* out,
                            Check<T>& check) {
  constexpr int R = kStencilRows;
  Vec<T> acc[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) acc[r][v] = splat(s.bias);
  Plane<T> column{};
  column.columns = 1;
  const T* w = list.w;
  for (i64 i = 0; i < list.count; ++i) {
    const T* from = x + list.runs[i].offset;
    column.rows = list.runs[i].count;
    if (column.rows > 1) {
      add_rows<R, V>(column, [&](i64 j) { return from + j * s.x_row; }, w, acc);
    } else {
      const T tap = *w;
      for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) acc[r][v] += load(from + r * s.x_row + v * kLanes<T>) * tap;
    }
    w += column.rows;
  }
  finish_block<R, V>(acc, out, s.out_row.out, check);
}

// How many samples after `x` most taps' vectors begin where registers load quickest; 0 where taps
// lie too scattered for that to help.
template <class T>
MC_INLINE i64 quick_start(const TapList<T>& taps, const T* x) {
  i64 count[kLanes<T>] = {};
  const i64 at = static_cast<i64>(reinterpret_cast<std::uintptr_t>(x) / sizeof(T));
  for (i64 k = 0; k < taps.count; ++k) ++count[(at + taps.offset[k]) & (kLanes<T> - 1)];
  i64 best = 0;
  for (i64 l = 1; l < kLanes<T>; ++l)
    if (count[l] > count[best]) best = l;
  return 4 * (count[best] - count[0]) > taps.count ? kLanes<T> - best : 0;
}

// The last block of a row is moved back to end with it: it makes some outputs twice, the same. So
// does the first where the others begin at `start`.
template <int V, class List, class T>
MC_INLINE void sparse_row(const List& list, const Strip<T>& s, i64 y, i64 start, Check<T>& check) {
  constexpr i64 step = V * kLanes<T>;
  const T* x = s.x + y * s.x_row;
  T* out = s.out + y * s.out_row.out;
  if (start > 0 && start + step <= s.width)
    sparse_block<1>(list, s, x, out, check);
  else
    start = 0;
  for (i64 q = start;;) {
    sparse_block<V>(list, s, x + q, out + q, check);
    if (q + step == s.width) break;
    q = min_of(q + step, s.width - step);
  }
}

// Whether the strip's outputs are all finite. `runs` is empty where rows had better be made singly.
template <class T>
bool sparse_strip(const TapList<T>& taps, const RunList<T>& runs, const Strip<T>& s) {
  Check<T> check;
  i64 start = quick_start(taps, s.x), y = 0;
  if (runs.count > 0)
    for (; y + kStencilRows <= s.rows; y += kStencilRows)
      sparse_row<kStencilVectors>(runs, s, y, s.x_row % kLanes<T> == 0 ? start : 0, check);
  for (; y < s.rows; ++y) {
    if (s.x_row % kLanes<T> != 0) start = quick_start(taps, s.x + y * s.x_row);
    if (s.width >= 8 * kLanes<T>)
      sparse_row<8>(taps, s, y, start, check);
    else
      sparse_row<kStencilVectors>(taps, s, y, start, check);
  }
  return check.passed();
}

// The packed kernel: for every output channel how many taps are kept and which, then the values of
// all taps, then of those that are kept, column by column. Nothing is kept of a kernel of zeros but
// its first tap: every list has a tap that meets each sample, so that sums tell which data are
// finite.
template <class T, int parts>
struct Kept {
  i64 *counts, *taps;
  T *dense, *values;

  static std::size_t bytes(const Desc& d) {
    const auto n = static_cast<std::size_t>(d.groups * d.out_channels);
    const std::size_t all = n * static_cast<std::size_t>(taps_of(d));
    return (n + all) * sizeof(i64) + 2 * all * parts * sizeof(T);
  }

  Kept(const Desc& d, const void* packed) {
    const i64 n = d.groups * d.out_channels, all = n * taps_of(d);
    counts = static_cast<i64*>(const_cast<void*>(packed));
    taps = counts + n;
    dense = reinterpret_cast<T*>(taps + all);
    values = dense + all * parts;
  }
};

template <class T, int parts>
struct Sparse {
  using Sum = BoxSum<T, parts>;
  using Lists = Kept<T, parts>;
  static constexpr bool floating = Check<T>::needed;

  static std::size_t packed_bytes(const Desc& d) { return Lists::bytes(d); }

  static void pack(const Desc& d, const ConstView& w, void* packed) {
    const Lists kept(d, packed);
    const T* from = static_cast<const T*>(w.data);
    const i64 taps = taps_of(d);
    for (i64 o = 0; o < d.groups * d.out_channels; ++o) {
      i64 count = 0;
      for (i64 i = 0; i < taps; ++i) {
        const i64 t = by_columns(d, i);
        const i64 at =
            parts * w_element(d, w.strides, o / d.out_channels, o % d.out_channels, 0, t);
        bool zero = true;
        for (int p = 0; p < parts; ++p) {
          kept.dense[(o * taps + t) * parts + p] = from[at + p];
          kept.values[(o * taps + count) * parts + p] = from[at + p];
          zero = zero && from[at + p] == T(0);
        }
        kept.taps[o * taps + count] = t;
        if (!zero) ++count;
      }
      if (count == 0) {
        kept.taps[o * taps] = 0;
        count = 1;
      }
      kept.counts[o] = count;
    }
  }

  // The tap that comes i-th when those of a column follow each other.
  static i64 by_columns(const Desc& d, i64 i) {
    if (d.rank < 2) return i;
    const i64 rows = d.kernel[d.rank - 2], columns = d.kernel[d.rank - 1];
    const i64 within = i % (rows * columns);
    return i - within + within % rows * columns + within / rows;
  }

  // Offsets of the kept taps of every output channel, and of all taps of one.
  static std::size_t offset_bytes(const Desc& d) {
    return static_cast<std::size_t>((d.groups * d.out_channels + 1) * taps_of(d)) * sizeof(i64);
  }

  static std::size_t run_bytes(const Desc& d) {
    return static_cast<std::size_t>(taps_of(d)) * sizeof(TapRun);
  }

  // Runs of taps lie where boxes have their tables.
  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const std::size_t tables = tables_bytes(d, Sum::box_for(d));
    const bool reads = parts == 1 && stored_as<T>(d.x_type) && stored_as<T>(d.out_type);
    const std::size_t more = reads && run_bytes(d) > tables ? run_bytes(d) - tables : 0;
    return Sum::scratch_bytes(d, threads) + offset_bytes(d) +
           static_cast<std::size_t>(threads) * more;
  }

  static void run(const RunArgs& args) {
    if constexpr (parts == 1) {
      Interior in;
      const Desc& d = args.desc;
      if (stored_as<T>(d.x_type) && stored_as<T>(d.out_type) && is_plain(d) &&
          find_interior<T>(d, args.x.strides, args.out.strides, in) && run_in_place(args, in)) {
        each_slab<T>(args, in, run_boxes);
        return;
      }
    }
    run_boxes(args);
  }

  // Writes the offsets of the kept taps behind those of all taps, and returns where.
  static i64* gather_offsets(const Desc& d, const Lists& kept, i64* all) {
    const i64 taps = taps_of(d);
    i64* to = all + taps;
    for (i64 o = 0; o < d.groups * d.out_channels; ++o, to += taps)
      for (i64 k = 0; k < kept.counts[o]; ++k) to[k] = all[kept.taps[o * taps + k]];
    return all + taps;
  }

  // False where the interior's data are not all finite: what was written is worth nothing then.
  static bool run_in_place(const RunArgs& args, const Interior& in) {
    const Desc& d = args.desc;
    const Lists kept(d, args.packed);
    const i64 taps = taps_of(d);
    i64* all = static_cast<i64*>(thread_scratch(Slot::spectrum, offset_bytes(d)));
    for (i64 t = 0; t < taps; ++t) all[t] = sample_offset(d, args.x.strides + 3, t);
    const i64* offset = gather_offsets(d, kept, all);
    bool spoiled = floating && !margins_are_finite(args, in, kept);
    if (spoiled) return false;
    each_strip<T>(args, in, is_parallel(d), [&](const Strip<T>& s) {
      if (__atomic_load_n(&spoiled, __ATOMIC_RELAXED)) return;
      const i64 o = s.group * d.out_channels + s.channel;
      const TapList<T> list{kept.counts[o], offset + o * taps, kept.values + o * taps};
      const RunList<T> columns =
          find_runs(list, s.x_row, thread_scratch(Slot::table, run_bytes(d)));
      if (!sparse_strip(list, columns, s)) __atomic_store_n(&spoiled, true, __ATOMIC_RELAXED);
    });
    return !spoiled;
  }

  // Whether the samples are finite that the interior's windows reach but some channel's first tap
  // never meets.
  static bool margins_are_finite(const RunArgs& args, const Interior& in, const Lists& kept) {
    const Desc& d = args.desc;
    const i64 taps = taps_of(d);
    bool finite = true;
    args.pool.parallel_for(
        d.batch * d.groups * d.out_channels,
        [&](i64 task, int) {
          const i64 o = task % (d.groups * d.out_channels), n = task / (d.groups * d.out_channels);
          const T* x = static_cast<const T*>(args.x.data) + n * args.x.strides[0] +
                       o / d.out_channels * args.x.strides[1];
          i64 tap = kept.taps[o * taps], met[kMaxRank], start[kMaxRank], size[kMaxRank];
          for (int a = d.rank - 1; a >= 0; --a) {
            start[a] = in.first[a] - d.pad_low[a];
            met[a] = start[a] + tap % d.kernel[a] * d.dilation[a];
            size[a] = in.size[a] + (d.kernel[a] - 1) * d.dilation[a];
            tap /= d.kernel[a];
          }
          bool mine = true;
          for (int a = 0; a < d.rank; ++a) {
            const i64 end = start[a] + size[a], met_end = met[a] + in.size[a];
            size[a] = met[a] - start[a];
            mine = mine && region_is_finite(d, x, args.x.strides + 3, start, size);
            start[a] = met_end;
            size[a] = end - met_end;
            mine = mine && region_is_finite(d, x, args.x.strides + 3, start, size);
            start[a] = met[a];
            size[a] = in.size[a];
          }
          if (!mine) __atomic_store_n(&finite, false, __ATOMIC_RELAXED);
        },
        is_parallel(d));
    return finite;
  }

  static bool region_is_finite(const Desc& d, const T* x, const i64* strides, const i64* start,
                               const i64* size) {
    const int last = d.rank - 1;
    i64 rows = size[last] > 0 ? 1 : 0;
    for (int a = 0; a < last; ++a) rows *= size[a];
    for (i64 row = 0; row < rows; ++row) {
      i64 at = start[last], rest = row;
      for (int a = last - 1; a >= 0; --a) {
        at += (start[a] + rest % size[a]) * strides[a];
        rest /= size[a];
      }
      if (!all_finite(x + at, size[last])) return false;
    }
    return true;
  }

  static void run_boxes(const RunArgs& args) {
    const Desc& d = args.desc;
    const Lists kept(d, args.packed);
    const Box box = Sum::box_for(d);
    const i64 taps = taps_of(d);
    i64* all = static_cast<i64*>(thread_scratch(Slot::spectrum, offset_bytes(d)));
    for (i64 t = 0; t < taps; ++t) all[t] = Sum::offset_of(d, box, 0, t);
    const i64* offset = gather_offsets(d, kept, all);
    Sum::run(args, box, [&](const T* boxes) {
      const bool skip = !floating || all_finite(boxes, parts * box.volume);
      return [&, skip](i64 g, i64 o) {
        const i64 channel = g * d.out_channels + o, at = channel * taps;
        if (!skip) return TapList<T>{taps, all, kept.dense + at * parts};
        return TapList<T>{kept.counts[channel], offset + at, kept.values + at * parts};
      };
    });
  }
};

const char* accepts(const Desc& d) {
  if (d.in_channels != 1) return "it takes one input channel per group";
  if (d.activation != Activation::none && (d.compute == DType::c64 || d.compute == DType::c128))
    return "activations are for real numbers";
  return check_types(d);
}

std::size_t packed_bytes(const Desc& d) {
  return by_compute_type<Sparse>(d, [&](auto k) { return k.packed_bytes(d); });
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  by_compute_type<Sparse>(d, [&](auto k) { k.pack(d, w, packed); });
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  return by_compute_type<Sparse>(d, [&](auto k) { return k.scratch_bytes(d, threads); });
}

void run(const RunArgs& args) {
  by_compute_type<Sparse>(args.desc, [&](auto k) { k.run(args); });
}

}  // namespace

extern const Kernel sparse_kernel;
const Kernel sparse_kernel = {"sparse", accepts, packed_bytes, pack, scratch_bytes, run, true};

}  // namespace multiconv::MC_TARGET
