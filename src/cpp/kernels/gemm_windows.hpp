// Where the windows of a tile's outputs lie: in the input itself or in a gathered part of it.
#pragma once

#include "kernels/gemm_region.hpp"

namespace multiconv::MC_TARGET {
namespace {

// What stands for positions that are no element.
template <class T>
struct Constants {
  const T* outside;
  const T* hole;
};

// A window's segments: one a tap, or one for all taps of the last axis.
struct Segments {
  i64 count[kMaxRank];
  i64 all;
};

MC_INLINE Segments segments_of(const Desc& d, bool merged) {
  Segments s{};
  s.all = 1;
  for (int a = 0; a < d.rank; ++a) {
    s.count[a] = merged && a == d.rank - 1 ? 1 : d.kernel[a];
    s.all *= s.count[a];
  }
  return s;
}

// Calls f(segment's tap, row's first output, where its pointers go) for each row of outputs along
// the last axis. The table is [segment][output].
template <class T, class F>
MC_INLINE void each_window_row(const Desc& d, const Region& r, const Segments& segments,
                               const T** rows, F&& f) {
  i64 tap[kMaxRank] = {};
  do {
    i64 output[kMaxRank] = {};
    do {
      f(tap, output, rows);
      rows += r.tile[d.rank - 1];
    } while (next_index(output, r.tile, d.rank - 1));
  } while (next_index(tap, segments.count, d.rank));
}

template <class T>
void point_at_box(const Desc& d, const Region& r, const Segments& segments, const T* box,
                  i64 channels, const T** rows) {
  const int last = d.rank - 1;
  const i64 step = r.step[last] * channels;
  each_window_row<T>(d, r, segments, rows, [&](const i64* tap, const i64* output, const T** to) {
    i64 at = tap[last] * r.tap_step[last];
    for (int a = 0; a < last; ++a)
      at += (output[a] * r.step[a] + tap[a] * r.tap_step[a]) * r.pitch[a];
    const T* from = box + at * channels;
    for (i64 i = 0; i < r.tile[last]; ++i) to[i] = from + i * step;
  });
}

template <class T>
void point_at_input(const Desc& d, const Region& r, const Segments& segments,
                    const i64* const* source, const T* x, const i64* strides,
                    const Constants<T>& constants, const T** rows) {
  const int last = d.rank - 1;
  each_window_row<T>(d, r, segments, rows, [&](const i64* tap, const i64* output, const T** to) {
    i64 offset = 0;
    bool hole = false, outside = false;
    for (int a = 0; a < last; ++a) {
      const i64 s = source[a][output[a] * r.step[a] + tap[a] * r.tap_step[a]];
      offset += s * strides[a];
      hole |= s == kHole;
      outside |= s == kOutside;
    }
    const i64* from = source[last] + tap[last] * r.tap_step[last];
    for (i64 i = 0; i < r.tile[last]; ++i) {
      const i64 s = from[i * r.step[last]];
      if (outside || s == kOutside)
        to[i] = constants.outside;
      else
        to[i] = hole || s == kHole ? constants.hole : x + offset + s * strides[last];
    }
  });
}

}  // namespace
}  // namespace multiconv::MC_TARGET
