// Where the rows that a sweep reads lie: in the input, or, beyond its ends, in copies.
#pragma once

#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

// The samples of a few columns of outputs and of their windows, on the last axis.
struct Reach {
  i64 first, count;  // the first may lie before the input
  i64 low, high;     // those within the input

  Reach(const Desc& d, i64 output, i64 outputs) {
    const int a = d.rank - 1;
    first = output - d.pad_low[a];
    count = outputs + (d.kernel[a] - 1) * d.dilation[a];
    low = min_of(max_of(-first, 0), count);
    high = max_of(min_of(d.in_size[a] - first, count), low);
  }

  bool is_inside() const { return low == 0 && high == count; }
};

// Fills rows[j] for the rows that one group of taps reads: from `plane` on, or blank.
template <class T>
MC_INLINE void find_rows(const Desc& d, const T* plane, i64 stride, i64 first, i64 count,
                         const T* blank, const T** rows) {
  const int a = d.rank - 2;
  const i64 step = d.dilation[a], size = d.in_size[a];
  if (plane && first >= 0 && first + (count - 1) * step < size) {
    for (i64 j = 0; j < count; ++j) rows[j] = plane + (first + j * step) * stride;
    return;
  }
  for (i64 j = 0; j < count; ++j) {
    const i64 at = plane ? resolve_index(first + j * step, size, d.boundary[a]) : kOutside;
    rows[j] = at == kOutside ? blank : plane + at * stride;
  }
}

// Copies columns of a row that the boundary has a part in. `outside` lists where those beyond the
// input lie in it, or kOutside.
template <class T>
MC_INLINE void copy_reach(const Reach& reach, const T* row, const i64* outside, T blank, T* to) {
  constexpr i64 lanes = kLanes<T>;
  const T* from = row + reach.first;
  if (reach.high - reach.low >= lanes) {
    const i64 last = reach.high - lanes;
    for (i64 i = reach.low; i < last; i += lanes) store(to + i, load(from + i));
    store(to + last, load(from + last));
  } else {
    for (i64 i = reach.low; i < reach.high; ++i) to[i] = from[i];
  }
  auto resolve = [&](i64 i, i64 at) { to[i] = at == kOutside ? blank : row[at]; };
  for (i64 i = 0; i < reach.low; ++i) resolve(i, *outside++);
  for (i64 i = reach.high; i < reach.count; ++i) resolve(i, *outside++);
}

MC_INLINE void list_outside(const Desc& d, const Reach& reach, i64* outside) {
  const int a = d.rank - 1;
  for (i64 i = 0; i < reach.count; ++i)
    if (i < reach.low || i >= reach.high)
      *outside++ = resolve_index(reach.first + i, d.in_size[a], d.boundary[a]);
}

}  // namespace
}  // namespace multiconv::MC_TARGET
