// Which problems are swept, and how their outputs are shared out.
//
// A task is a band of rows of a few neighbouring planes: many rows at once would drive each other
// out of the nearest cache. Where rows are dilated, the outputs of one
// phase are a band of their own.
#pragma once

#include "kernels/sweep.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kSweepColumns = 1024;     // of a task at most
inline constexpr i64 kSweepRows = 40;          // of a band, as whole turns of the ring
inline constexpr i64 kSweepPlanes = 8;         // of a task at most
inline constexpr i64 kSweepStacks = 32;        // of planes, and
inline constexpr i64 kSweepReach = 1 << 12;    // samples that a window spans, at most
inline constexpr i64 kSweepOutputs = 1 << 12;  // at least
inline constexpr i64 kShortRow = 1 << 11;      // bytes of a row of few registers' planes, at most

struct SweepPlan {
  i64 taps, tap_rows, tap_planes;  // of the kernel's last three axes
  i64 stacks;                      // channels, and taps of the other axes
  i64 half;                        // columns that half of the vectors hold
  i64 reach;                       // samples of a window but one
  i64 phases, bands, strips;       // of rows, of a phase's rows, of columns
  i64 rows;                        // of a band at most
  i64 depth, blocks;               // planes of a task at most, and how many such blocks
  i64 spaces;                      // planes that the other axes multiply
  i64 layers;                      // planes of the input that a task sees in a stack
  i64 span, width, pitch;          // rows that a band sees, columns of a strip, copied columns
};

// The place of a tap among all of its sum: rows of planes first.
MC_INLINE i64 sweep_place(const Desc& d, i64 channel, i64 tap) {
  const i64 columns = d.kernel[d.rank - 1], rows = d.kernel[d.rank - 2];
  const i64 planes = taps_of(d) / columns / rows, plane = tap / columns / rows;
  const i64 row = tap / columns % rows, group = channel * planes + plane;
  return (row * d.in_channels * planes + group) * columns + tap % columns;
}

template <class T>
MC_INLINE SweepPlan plan_sweep(const Desc& d) {
  const int last = d.rank - 1, row = last - 1, plane = last - 2;
  const i64 lanes = kLanes<T>, columns = d.out_size[last];
  SweepPlan s{};
  s.taps = d.kernel[last];
  s.tap_rows = d.kernel[row];
  s.tap_planes = plane >= 0 ? d.kernel[plane] : 1;
  s.stacks = d.in_channels;
  s.spaces = 1;
  for (int a = 0; a < plane; ++a) {
    s.stacks *= d.kernel[a];
    s.spaces *= d.out_size[a];
  }
  s.half = ring_vectors(s.tap_rows) / 2 * lanes;
  s.reach = (s.taps - 1) * d.dilation[last];
  s.phases = min_of(d.dilation[row], d.out_size[row]);
  const i64 rows = ceil_div(d.out_size[row], s.phases);
  s.rows = max_of(kSweepRows / s.tap_rows, 3) * s.tap_rows;
  s.bands = ceil_div(rows, s.rows);
  s.rows = min_of(s.rows, rows);
  s.strips = ceil_div(columns, kSweepColumns);
  const i64 planes = plane >= 0 ? d.out_size[plane] : 1;
  const bool near = plane < 0 || d.dilation[plane] == 1;
  s.blocks = ceil_div(planes, near ? max_of(kSweepPlanes / max_of(s.stacks, 1), 1) : 1);
  s.depth = ceil_div(planes, s.blocks);
  s.layers = s.depth + s.tap_planes - 1;
  s.span = s.rows + s.tap_rows - 1;
  s.width = ceil_div(columns, s.strips) + lanes;
  s.pitch = 2 * (s.half + s.reach);
  return s;
}

// Whether kernel, types and strides suit.
template <class T>
MC_INLINE bool is_swept(const Desc& d) {
  if (d.rank < 2 || d.x_type != d.compute || d.out_type != d.compute) return false;
  if (!is_plain(d) || outputs_of(d) < kSweepOutputs) return false;
  for (int a = 0; a < d.rank; ++a)
    if (d.stride[a] != 1 || d.in_dilation[a] != 1) return false;
  const SweepPlan s = plan_sweep<T>(d);
  // Few registers take so little of each row at once that pages and lines change too often.
  const i64 row_bytes = d.out_size[d.rank - 1] * static_cast<i64>(sizeof(T));
  if (MC_REGISTERS < 32 && s.tap_planes == 1 && row_bytes >= kShortRow) return false;
  return s.tap_rows >= 2 && s.tap_rows <= kRingRows && s.stacks <= kSweepStacks &&
         d.out_size[d.rank - 1] >= s.half && s.reach <= kSweepReach;
}

}  // namespace
}  // namespace multiconv::MC_TARGET
