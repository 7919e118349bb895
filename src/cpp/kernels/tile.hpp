// Tiles: how the direct kernels see every convolution as one long line.
//
// A tile of outputs reads a box of the input. The box is gathered into scratch once, with boundary,
// crop, input dilation, stride and element type resolved, so that what remains is
//     line[q] = sum over taps t of w[t] * box[q + offset[t]]
// with unit stride, whatever the rank. A stride s splits each axis of the box into the phases that
// taps really use: phase i holds the samples i * dilation modulo s. Where taps lie so far apart
// that most samples between them are read by none, each tap gets a phase of its own.
#pragma once

#include "base/boundary.hpp"
#include "base/desc.hpp"
#include "base/scratch.hpp"
#include "kernels/epilogue.hpp"
#include "kernels/stored.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kHole = -2;

struct Box {
  i64 tile[kMaxRank];    // outputs per axis
  i64 count[kMaxRank];   // tiles per axis
  bool apart[kMaxRank];  // each tap has a phase of its own
  i64 period[kMaxRank];  // taps k and k + period share a phase
  i64 length[kMaxRank];  // samples of one phase
  i64 extent[kMaxRank];  // samples of all phases
  i64 pitch[kMaxRank];
  i64 volume;  // samples of one channel, with a tail that vector loads may overrun
  i64 tiles;
  int flat;      // trailing axes that one line covers
  i64 lines;     // lines per tile
  i64 line;      // samples of one line
  i64 line_pad;  // distance between lines in the line buffer
};

MC_INLINE i64 ceil_div(i64 a, i64 b) { return (a + b - 1) / b; }
MC_INLINE i64 min_of(i64 a, i64 b) { return a < b ? a : b; }
MC_INLINE i64 max_of(i64 a, i64 b) { return a > b ? a : b; }

MC_INLINE i64 gcd_of(i64 a, i64 b) {
  while (b != 0) {
    const i64 r = a % b;
    a = b;
    b = r;
  }
  return a;
}

MC_INLINE i64 taps_of(const Desc& d) {
  i64 n = 1;
  for (int a = 0; a < d.rank; ++a) n *= d.kernel[a];
  return n;
}

// Products of all outputs of a group or of all groups, as a rough number that cannot overflow.
MC_INLINE double work_of_group(const Desc& d) {
  double work = static_cast<double>(d.in_channels) * static_cast<double>(d.out_channels);
  for (int a = 0; a < d.rank; ++a)
    work *= static_cast<double>(d.out_size[a]) * static_cast<double>(d.kernel[a]);
  return work;
}

MC_INLINE double work_of(const Desc& d) {
  return work_of_group(d) * static_cast<double>(d.batch) * static_cast<double>(d.groups);
}

// How many tasks a group's work is worth, `each` products a task, 16 at most for all groups.
MC_INLINE i64 tasks_worth(const Desc& d, i64 each) {
  const i64 most = ceil_div(16, max_of(d.batch * d.groups, 1));
  const double worth = work_of_group(d) / static_cast<double>(each) + 1.0;
  return worth < static_cast<double>(most) ? static_cast<i64>(worth) : most;
}

MC_INLINE i64 outputs_of(const Desc& d) {
  i64 n = 1;
  for (int a = 0; a < d.rank; ++a) n *= d.out_size[a];
  return n;
}

// Sizes that follow from the tile; `slack` samples may be read past the end.
MC_INLINE void measure(const Desc& d, Box& box, i64 slack) {
  i64 pitch = 1;
  box.tiles = 1;
  for (int a = d.rank - 1; a >= 0; --a) {
    const i64 period = d.stride[a] / gcd_of(d.stride[a], d.dilation[a]);
    const i64 phases = min_of(d.kernel[a], period);
    const i64 length = box.tile[a] + (d.kernel[a] - 1) * d.dilation[a] / d.stride[a];
    box.apart[a] = length > d.kernel[a] * box.tile[a] / phases;
    box.period[a] = box.apart[a] ? d.kernel[a] : period;
    box.length[a] = box.apart[a] ? box.tile[a] : length;
    box.extent[a] = min_of(d.kernel[a], box.period[a]) * box.length[a];
    box.pitch[a] = pitch;
    pitch *= box.extent[a];
    box.count[a] = ceil_div(d.out_size[a], box.tile[a]);
    box.tiles *= box.count[a];
  }
  box.volume = pitch + slack;
}

// Rows of short images waste vector lanes; lines over several rows waste the gap between rows.
// Takes whichever is cheaper by `price`, the kernel's price of a line of so many vectors.
template <class Price>
MC_INLINE void lay_lines(const Desc& d, Box& box, int lanes, Price price) {
  i64 best = -1;
  for (int flat = 1; flat <= d.rank; ++flat) {
    i64 lines = 1, line = 1;
    for (int a = 0; a < d.rank; ++a) {
      if (a < d.rank - flat)
        lines *= box.tile[a];
      else
        line += (box.tile[a] - 1) * box.pitch[a];
    }
    const i64 cost = lines * price(ceil_div(line, lanes));
    if (best < 0 || cost < best) {
      best = cost;
      box.flat = flat;
      box.lines = lines;
      box.line = line;
    }
  }
  box.line_pad = ceil_div(box.line, lanes) * lanes;
}

// How many times an axis of the tile is as long as its halo makes worth keeping.
MC_INLINE double worth_halving(const Desc& d, const Box& box, int a, int lanes) {
  // Taps far apart get phases of their own in a shorter tile, so their distance counts in part.
  const i64 halo = (d.kernel[a] - 1) * min_of(ceil_div(d.dilation[a], d.stride[a]), 16);
  const i64 keep = a == d.rank - 1 ? 4 * lanes + 2 * halo : 1 + halo / 2;
  return static_cast<double>(box.tile[a]) / static_cast<double>(keep);
}

// Halves the axis that is longest for its halo until `channels` boxes fit the budget, and any axis
// until there are enough tiles to share out.
template <class Price>
MC_INLINE Box choose_box(const Desc& d, i64 channels, i64 budget, i64 wanted_tiles, int lanes,
                         i64 slack, Price price) {
  Box box{};
  for (int a = 0; a < d.rank; ++a) box.tile[a] = max_of(d.out_size[a], 1);
  for (;;) {
    measure(d, box, slack);
    const bool fits = box.volume <= budget / channels;
    if (fits && box.tiles >= wanted_tiles) break;
    int longest = -1;
    double most = box.tiles < wanted_tiles ? 0.0 : 1.0;
    for (int a = 0; a < d.rank; ++a) {
      const double worth = worth_halving(d, box, a, lanes);
      const i64 least = a == d.rank - 1 ? lanes : 1;
      if (box.tile[a] > least && worth > most) {
        most = worth;
        longest = a;
      }
    }
    if (longest < 0) break;
    const i64 parts = box.count[longest] * 2;
    box.tile[longest] = max_of(ceil_div(d.out_size[longest], parts), 1);
  }
  lay_lines(d, box, lanes, price);
  return box;
}

// Where a phase begins, in samples after the first that the tile reads.
MC_INLINE i64 phase_start(const Desc& d, const Box& box, int a, i64 phase) {
  return box.apart[a] ? phase * d.dilation[a] : phase * d.dilation[a] % d.stride[a];
}

// Where tap `tap` (in the order of the packed kernel) lies in a box.
MC_INLINE i64 tap_offset(const Desc& d, const Box& box, i64 tap) {
  i64 offset = 0;
  for (int a = d.rank - 1; a >= 0; --a) {
    const i64 k = tap % d.kernel[a];
    tap /= d.kernel[a];
    const i64 within = box.apart[a] ? 0 : k * d.dilation[a] / d.stride[a];
    offset += (k % box.period[a] * box.length[a] + within) * box.pitch[a];
  }
  return offset;
}

// A run of box samples on the last axis that are read with one step.
struct Run {
  i64 start, count, source, step;  // source: element offset, kOutside or kHole
};

struct Tables {
  i64* source[kMaxRank];  // per box position but on the last axis: element, kOutside or kHole
  Run* runs;              // the last axis
  i64 run_count;
};

MC_INLINE std::size_t tables_bytes(const Desc& d, const Box& box) {
  std::size_t n = 0;
  for (int a = 0; a < d.rank - 1; ++a) n += static_cast<std::size_t>(box.extent[a]) * sizeof(i64);
  return n + static_cast<std::size_t>(box.extent[d.rank - 1]) * sizeof(Run);
}

// The element, kOutside or kHole that position j of the dilated, continued input reads.
MC_INLINE i64 source_of(const Desc& d, int a, i64 j) {
  const i64 step = d.in_dilation[a];
  if (step == 1) return resolve_index(j, d.in_size[a], d.boundary[a]);
  if (j < 0 || j > (d.in_size[a] - 1) * step) return kOutside;
  return j % step == 0 ? j / step : kHole;
}

// Appends one sample to the runs.
MC_INLINE void add_sample(Tables& t, i64 position, i64 source) {
  if (t.run_count > 0) {
    Run& run = t.runs[t.run_count - 1];
    if (run.source < 0
            ? source == run.source
            : source >= 0 && (run.count == 1 || source == run.source + run.step * run.count)) {
      if (run.source >= 0 && run.count == 1) run.step = source - run.source;
      ++run.count;
      return;
    }
  }
  t.runs[t.run_count++] = {position, 1, source, 0};
}

MC_INLINE void make_runs(const Desc& d, const Box& box, i64 first_out, Tables& t) {
  const int a = d.rank - 1;
  const i64 size = d.in_size[a], stride = d.stride[a];
  t.run_count = 0;
  for (i64 e = 0; e < box.extent[a];) {
    const i64 within = e % box.length[a];
    const i64 start = phase_start(d, box, a, e / box.length[a]);
    const i64 j = (first_out + within) * stride + start - d.pad_low[a];
    if (d.in_dilation[a] == 1 && j >= 0 && j < size) {
      const i64 count = min_of(box.length[a] - within, (size - 1 - j) / stride + 1);
      t.runs[t.run_count++] = {e, count, j, stride};
      e += count;
    } else {
      add_sample(t, e++, source_of(d, a, j));
    }
  }
}

MC_INLINE void make_tables(const Desc& d, const Box& box, const i64* first_out, void* memory,
                           Tables& t) {
  i64* p = static_cast<i64*>(memory);
  for (int a = 0; a < d.rank - 1; ++a) {
    t.source[a] = p;
    for (i64 e = 0; e < box.extent[a]; ++e) {
      const i64 start = phase_start(d, box, a, e / box.length[a]);
      const i64 at = (first_out[a] + e % box.length[a]) * d.stride[a] + start;
      *p++ = source_of(d, a, at - d.pad_low[a]);
    }
  }
  t.runs = reinterpret_cast<Run*>(p);
  make_runs(d, box, first_out[d.rank - 1], t);
}

template <class T>
MC_INLINE void fill(T* p, i64 n, T value) {
  for (i64 i = 0; i < n; ++i) p[i] = value;
}

// One channel's box. `x` points at the channel, `strides` (elements) are the spatial ones.
template <class S, class T>
void gather(const Desc& d, const Box& box, const Tables& t, const S* x, const i64* strides, T cval,
            T* dst) {
  const int last = d.rank - 1;
  i64 index[kMaxRank] = {};
  for (T* row = dst;; row += box.extent[last]) {
    i64 offset = 0, kind = 0;
    for (int a = 0; a < last; ++a) {
      const i64 s = t.source[a][index[a]];
      if (s >= 0)
        offset += s * strides[a];
      else if (kind != kOutside)
        kind = s;
    }
    const S* source = x + offset;
    for (i64 r = 0; r < t.run_count; ++r) {
      const Run& run = t.runs[r];
      T* out = row + run.start;
      if (kind == kOutside || run.source == kOutside) {
        fill(out, run.count, cval);
      } else if (kind == kHole || run.source == kHole) {
        fill(out, run.count, T(0));
      } else {
        const S* p = source + run.source * strides[last];
        const i64 step = run.step * strides[last];
        if (step == 1)
          for (i64 i = 0; i < run.count; ++i) out[i] = static_cast<T>(p[i]);
        else
          for (i64 i = 0; i < run.count; ++i) out[i] = static_cast<T>(p[i * step]);
      }
    }
    int a = last - 1;
    while (a >= 0 && ++index[a] == box.extent[a]) index[a--] = 0;
    if (a < 0) break;
  }
}

// The first output of tile number `tile` and how many outputs it really has.
MC_INLINE void tile_origin(const Desc& d, const Box& box, i64 tile, i64* first, i64* size) {
  for (int a = d.rank - 1; a >= 0; --a) {
    first[a] = tile % box.count[a] * box.tile[a];
    tile /= box.count[a];
    size[a] = min_of(box.tile[a], d.out_size[a] - first[a]);
  }
}

// Box offset at which line number `number` starts.
MC_INLINE i64 line_start(const Desc& d, const Box& box, i64 number) {
  i64 start = 0;
  for (int a = d.rank - box.flat - 1; a >= 0; --a) {
    start += number % box.tile[a] * box.pitch[a];
    number /= box.tile[a];
  }
  return start;
}

// Where the output number `first` of a channel lies.
MC_INLINE At place_of(const RunArgs& args, i64 image, i64 group, i64 channel, const i64* first) {
  At at = start_of(args, image, group, channel);
  for (int a = 0; a < args.desc.rank; ++a) at += first[a] * step_of(args, 3 + a);
  return at;
}

// Calls `f` with where each row of a tile begins, in its line buffer and in the arrays, of which
// `at` is the tile's first output.
template <class F>
void each_row(const RunArgs& args, const Box& box, const i64* size, At at, F&& f) {
  const Desc& d = args.desc;
  const int last = d.rank - 1, split = d.rank - box.flat;
  i64 index[kMaxRank] = {};
  for (;;) {
    i64 number = 0, within = 0;
    At place = at;
    for (int a = 0; a < last; ++a) {
      place += index[a] * step_of(args, 3 + a);
      if (a < split)
        number = number * box.tile[a] + index[a];
      else
        within += index[a] * box.pitch[a];
    }
    f(number * box.line_pad + within, place);
    int a = last - 1;
    while (a >= 0 && ++index[a] == size[a]) index[a--] = 0;
    if (a < 0) break;
  }
}

// One part of the constant boundary value; an integer's is modular, so it may stand for less than
// 0.
template <class T>
MC_INLINE T boundary_value(const Desc& d, int part) {
  if constexpr (is_float<T>)
    return static_cast<T>(d.cval[part]);
  else
    return static_cast<T>(d.cval_bits);
}

// A box's way in and out of arrays of whatever type they are stored in.
template <class T>
struct Stored {
  const Desc& d;
  const Box& box;

  void read(const Tables& t, const void* x, i64 at, const i64* strides, T cval, T* dst) const {
    as_stored<T>(d.x_type, x,
                 [&](auto* typed) { gather(d, box, t, typed + at, strides, cval, dst); });
  }

  // Finishes a tile's sums, of a channel counted over all groups, and stores them from `at` on.
  void write(const RunArgs& args, i64 channel, const i64* size, T* lines, At at) const {
    const i64 n = size[d.rank - 1];
    const At step = step_of(args, 2 + d.rank);
    as_stored<T>(d.out_type, args.out.data, [&](auto* out) {
      each_row(args, box, size, at, [&](i64 row, At place) {
        finish_row(args, channel, place.residual, step.residual, lines + row, n);
        store_row(lines + row, out + place.out, step.out, n);
      });
    });
  }

  // The same for complex numbers, whose imaginary parts lie `plane` after the real ones.
  void write_complex(const RunArgs& args, i64 channel, const i64* size, T* lines, i64 plane,
                     At at) const {
    const i64 n = size[d.rank - 1];
    const At step = step_of(args, 2 + d.rank);
    T* out = static_cast<T*>(args.out.data);
    each_row(args, box, size, at, [&](i64 row, At place) {
      T *re = lines + row, *im = re + plane;
      finish_complex(args, channel, place.residual, step.residual, re, im, 1, n);
      store_row(re, out + 2 * place.out, 2 * step.out, n);
      store_row(im, out + 2 * place.out + 1, 2 * step.out, n);
    });
  }
};

MC_INLINE i64 w_element(const Desc& d, const i64* strides, i64 g, i64 o, i64 c, i64 tap) {
  i64 at = g * strides[0] + o * strides[1] + c * strides[2];
  for (int a = d.rank - 1; a >= 0; --a) {
    const i64 k = tap % d.kernel[a];
    tap /= d.kernel[a];
    at += (d.flip ? d.kernel[a] - 1 - k : k) * strides[3 + a];
  }
  return at;
}

}  // namespace
}  // namespace multiconv::MC_TARGET
