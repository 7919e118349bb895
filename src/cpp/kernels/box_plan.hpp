// What the tasks of a box kernel share: how the axes are cut up, how much scratch that takes, and
// what the one tap is.
#pragma once

#include <cmath>

#include "kernels/tile.hpp"
#include "kernels/window_sum.hpp"

namespace multiconv::MC_TARGET {
namespace {

// One axis in parts that tasks take. A dilated axis falls into phases, each with a box of its own.
struct Axis {
  i64 step;    // distance of the samples that neighbouring windows begin with
  i64 stride;  // of the windows that are wanted
  i64 phases, tile, count;
};

MC_INLINE Axis axis_of(const Desc& d, int a) {
  Axis axis = {d.dilation[a], d.stride[a], min_of(d.dilation[a], d.out_size[a]), 0, 0};
  if (d.kernel[a] == 1) axis = {d.stride[a], 1, 1, 0, 0};
  const i64 outputs = ceil_div(d.out_size[a], axis.phases);
  axis.tile = d.tile[a] > 0 ? min_of(d.tile[a], outputs) : outputs;
  axis.count = ceil_div(outputs, axis.tile);
  return axis;
}

// What a task does along an axis.
struct Part {
  i64 first, step, outputs;  // of the outputs
  i64 windows;               // wanted or not
  i64 sample;                // the position of the first; may be outside
};

MC_INLINE Part part_of(const Desc& d, int a, const Axis& axis, i64 number) {
  const i64 phase = number / axis.count, begin = number % axis.count * axis.tile;
  const i64 all = ceil_div(d.out_size[a] - phase, axis.phases);
  const i64 outputs = min_of(axis.tile, all - begin), first = phase + begin * axis.phases;
  return {first, axis.phases, outputs, (outputs - 1) * axis.stride + 1,
          first * d.stride[a] - d.pad_low[a]};
}

// The first axis with a ring, or the last; tasks take one output along each axis before it.
MC_INLINE int first_axis(const Desc& d) {
  int a = 0;
  while (a < d.rank - 1 && d.kernel[a] == 1) ++a;
  return a;
}

// The tap: a power of two that samples are multiplied by, exactly, before they can overflow, and
// what remains for the sums. Integers are multiplied last.
template <class T>
struct Height {
  T before, after[2];
};

template <class T, int parts>
Height<T> height_of(const T* tap) {
  if constexpr (!is_float<T>) {
    return {T(1), {*tap, T(0)}};
  } else {
    T largest = std::abs(tap[0]);
    if (parts == 2 && std::abs(tap[1]) > largest) largest = std::abs(tap[1]);
    if (!(largest > T(0))) return {T(0), {T(1), T(0)}};
    int exponent;
    std::frexp(largest, &exponent);
    const T scale = std::ldexp(T(1), exponent - 1);
    return {scale, {tap[0] / scale, parts == 2 ? tap[1] / scale : T(0)}};
  }
}

// What all tasks share.
template <class T, int parts>
struct BoxPlan {
  using Sums = WindowSum<T, parts>;
  static constexpr i64 lanes = kLanes<T>;

  const Desc& d;
  int first, last;
  Axis axes[kMaxRank];
  i64 tasks = 1;  // of one group
  Sums sums;      // along the last axis
  i64 line;       // elements of one line of samples and the slack behind it
  i64 ring = 0;   // elements of all rings
  Height<T> height{};

  explicit BoxPlan(const Desc& desc)
      : d(desc), first(first_axis(desc)), last(desc.rank - 1), sums(desc.kernel[last]) {
    i64 slab = 0;
    for (int a = last; a >= 0; --a) {
      Axis& axis = axes[a] = axis_of(d, a);
      if (a < first) axis.tile = 1, axis.count = d.out_size[a];
      tasks *= axis.phases * axis.count;
      if (a == last) {
        line = padded(((axis.tile - 1) * axis.stride + d.kernel[a]) * parts + Sums::slack);
        slab = padded(axis.tile * parts);
      } else if (a >= first) {
        ring += (d.kernel[a] + 1) * slab;
        slab *= axis.tile;
      }
    }
  }

  static i64 padded(i64 n) { return ceil_div(n, lanes) * lanes; }
  i64 line_bytes() const { return 4 * line * static_cast<i64>(sizeof(T)); }
  i64 ring_bytes() const { return ring * static_cast<i64>(sizeof(T)); }
};

}  // namespace
}  // namespace multiconv::MC_TARGET
