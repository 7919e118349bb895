// How depthwise work is cut into tasks, and these into blocks.
#pragma once

#include "base/kernel.hpp"
#include "kernels/depthwise_rows.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kRing = 40 * 1024;      // bytes of staged rows that are worth a narrower strip
inline constexpr i64 kFarRing = 256 * 1024;  // from which on rows do not share loads
inline constexpr i64 kWork = 1 << 17;        // multiply-adds that are worth a task

// Blocks of outputs in registers: rows by vectors. Narrow rows are one vector each; where channels
// are lanes, narrow blocks are of two rows.
inline constexpr int kRows = 4, kNarrowRows = 7, kLaneRows = 2;
inline constexpr int kWide = MC_REGISTERS >= 32 ? 4 : 2;
template <bool by_lane, int rows>
inline constexpr int kVectorsOf = rows == kNarrowRows            ? 1
                                  : by_lane && rows == kLaneRows ? (kWide == 4 ? 7 : 4)
                                                                 : kWide;

// Each form takes a compiler seconds, so types that few layers are of have fewer: blocks of one
// shape, rows shared without a stride only, squares of taps of any size in one loop.
template <class T>
inline constexpr bool kShapes = is_float<T> && sizeof(T) == 4 && kLanes<T> > 1;
template <class T>
inline constexpr int kPhases = kShapes<T> ? 2 : 1;

// The axis of rows; of one row where there is no such axis.
struct Rows {
  i64 size, out, taps, stride, dilation, pad;
  Boundary boundary;
};

MC_INLINE Rows rows_of(const Desc& d) {
  const int a = d.rank - 2;
  if (a < 0) return {1, 1, 1, 1, 1, 0, Boundary::constant};
  return {d.in_size[a],  d.out_size[a], d.kernel[a],  d.stride[a],
          d.dilation[a], d.pad_low[a],  d.boundary[a]};
}

MC_INLINE i64 outer_product(const Desc& d, const i64* sizes) {
  i64 n = 1;
  for (int a = 0; a < d.rank - 2; ++a) n *= sizes[a];
  return n;
}

// Neighbouring channels may be lanes where they are neighbours in memory, too. Output channels then
// have to lie evenly; `step` is their distance.
MC_INLINE bool lie_evenly(const Desc& d, const i64* strides, i64& step) {
  step = d.out_channels == 1 ? strides[1] : strides[2];
  return d.out_channels == 1 || strides[1] == d.out_channels * strides[2];
}

MC_INLINE bool channels_are_lanes(const RunArgs& args, int lanes) {
  const Desc& d = args.desc;
  const i64* x = args.x.strides;
  i64 step;
  if (lanes == 1 || !lie_evenly(d, args.out.strides, step) ||
      (d.has_residual && !lie_evenly(d, args.residual.strides, step)))
    return false;
  const int last = d.rank - 1;
  const bool neighbours = x[3 + last] == 1 && d.in_size[last] > 1;
  if (!neighbours) return x[1] == 1;
  // Rows that would fill few lanes are turned; channels then have to be many.
  return d.out_channels == 1 && 2 * d.out_size[last] <= lanes && d.groups >= lanes;
}

template <class T, bool by_lane>
struct Cut {
  static constexpr i64 lanes = kLanes<T>;
  i64 channels, units;  // units: of work, a channel or a vector of them
  i64 outer_taps, outer_outputs;
  i64 apart;   // between output rows that share input rows
  i64 phases;  // input rows between those, counted in tap rows
  i64 block;   // output rows of a block
  // Blocks of rows that are staged before the first of them is summed: loads that cross what was
  // stored just now have to wait for it.
  static constexpr i64 ahead = by_lane ? 1 : 2;
  i64 ring, positions;  // input rows staged at once, and of a band
  i64 width, strips, rows, bands;
  i64 chunk, chunks;  // units of a task
  i64 images;         // that a task's units are counted in

  explicit Cut(const Desc& d) {
    const Rows r = rows_of(d);
    channels = d.groups * d.out_channels;
    units = by_lane ? ceil_div(channels, lanes) : channels;
    outer_taps = outer_product(d, d.kernel);
    outer_outputs = outer_product(d, d.out_size);
    const i64 shared = gcd_of(r.stride, r.dilation);
    apart = r.dilation / shared;
    phases = r.stride / shared;

    const i64 out_width = d.out_size[d.rank - 1];
    const bool narrow =
        kShapes<T> && (by_lane ? out_width % 7 == 0 && out_width % 4 != 0 : out_width <= lanes);
    const i64 together = narrow ? (by_lane ? kLaneRows : kNarrowRows) : kRows;
    width = out_width;
    const bool can_share = phases <= kPhases<T> && r.taps > 1 && r.out >= together * apart;
    block = can_share ? together * apart : 1;
    ring = ring_of(r);
    if (ring_bytes(d) > kFarRing && block > 1) {
      block = 1;
      ring = ring_of(r);
    }
    const i64 least = by_lane ? 16 : 16 * lanes;
    for (strips = 1; ring_bytes(d) > kRing && width > least; width = ceil_div(out_width, ++strips));
    strips = ceil_div(out_width, width);

    const double row = static_cast<double>(outer_taps * r.taps * d.kernel[d.rank - 1] * width) *
                       (by_lane ? lanes : 1);
    const auto worth = [&](double each) {
      return max_of(static_cast<i64>(static_cast<double>(kWork) / (each + 1.0)), 1);
    };
    const i64 some = ceil_div(max_of(worth(row), 2 * r.taps), block) * block;
    bands = ceil_div(r.out, min_of(some, r.out));
    rows = min_of(ceil_div(ceil_div(r.out, bands), block) * block, r.out);
    bands = ceil_div(r.out, rows);
    positions = (rows - 1) * r.stride + (r.taps - 1) * r.dilation + 1;
    ring = min_of(ring, positions);
    images = by_lane ? 1 : d.batch;
    chunk = min_of(worth(row * static_cast<double>(rows)), units * images);
    chunks = ceil_div(units * images, chunk);
  }

  i64 ring_of(const Rows& r) const {
    return (ahead * block - 1) * r.stride + (r.taps - 1) * r.dilation + 1;
  }
  i64 ring_bytes(const Desc& d) const {
    return outer_taps * ring * columns_for<T>(d, 0, width, by_lane).pitch *
           static_cast<i64>(sizeof(T));
  }

  // All columns_for() of one width differ by their shift alone.
  i64 row_room(const Desc& d) const { return columns_for<T>(d, 0, width, by_lane).pitch + lanes; }
  i64 stage_room(const Desc& d) const { return (outer_taps * ring + 1) * row_room(d); }
  i64 table_room(const Desc& d) const {
    return 2 * outer_taps * positions + d.kernel[d.rank - 1] + 2 * (width + lanes);
  }
  i64 line_pitch() const { return by_lane ? width * lanes : ceil_div(width, lanes) * lanes; }
  i64 line_room() const { return kNarrowRows * line_pitch(); }
  i64 tasks(const Desc& d) const {
    return chunks * d.batch / images * outer_outputs * bands * strips;
  }
};

}  // namespace
}  // namespace multiconv::MC_TARGET
