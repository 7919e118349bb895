// Brings the region that a tile reads into scratch as [position][channel], whatever layout it has.
#pragma once

#include <type_traits>

#include "kernels/gemm_region.hpp"
#include "kernels/lanes.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kFarthest = 4;  // positions so far apart are still read as neighbours

// Neighbouring positions of a block of channels.
template <class T, class S>
class Gather {
  static constexpr int lanes = kLanes<T>;

 public:
  // Vectors may be read up to `end`, where the array ends.
  Gather(i64 channels, i64 channel_stride, const S* end)
      : channels_(channels), stride_(channel_stride), end_(end) {}

  // Vectors overrun what is written by less than one, so runs must be written in order.
  void run(const S* from, i64 step, i64 count, T* to) const {
    if (stride_ == 1 || channels_ == 1) return copy(from, step, count, to);
    const i64 rest = channels_ % lanes, whole = channels_ - rest;
    if (rest > 0) square(from + whole * stride_, rest, step, count, to + whole);
    for (i64 c = 0; c < whole; c += lanes) square(from + c * stride_, lanes, step, count, to + c);
  }

 private:
  void copy(const S* from, i64 step, i64 count, T* to) const {
    if (step == channels_)
      for (i64 i = 0; i < count * channels_; ++i) to[i] = static_cast<T>(from[i]);
    else
      for (i64 i = 0; i < count; ++i)
        for (i64 c = 0; c < channels_; ++c)
          to[i * channels_ + c] = static_cast<T>(from[i * step + c]);
  }

  // Channels that are rows of neighbours come as squares that are turned around.
  void square(const S* from, i64 used, i64 step, i64 count, T* to) const {
    i64 i = 0;
    if (step >= 1 && step <= kFarthest) {
      const i64 reach = end_ - (from + max_of((used - 1) * stride_, 0));
      const i64 each = (lanes - 1) / step + 1;
      for (; i < count && i * step + lanes <= reach; i += each)
        turn(from + i * step, used, step, min_of(each, count - i), to + i * channels_);
    }
    for (; i < count; ++i)
      for (i64 c = 0; c < used; ++c)
        to[i * channels_ + c] = static_cast<T>(from[c * stride_ + i * step]);
  }

  void turn(const S* from, i64 used, i64 step, i64 count, T* to) const {
    Vec<T> v[lanes];
    if (used == lanes) {
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) v[l] = load_as<T>(from + l * stride_);
    } else {
      for (int l = 0; l < lanes; ++l) v[l] = l < used ? load_as<T>(from + l * stride_) : Vec<T>{};
    }
    transpose<T>(v);
    if (step == 1 && count == lanes) {
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) store(to + l * channels_, v[l]);
    } else {
      for (i64 l = 0; l < count; ++l) store(to + l * channels_, v[l * step]);
    }
  }

  i64 channels_, stride_;
  const S* end_;
};

// `x` points at the first channel; `runs` are those of the last axis.
template <class T, class S, class G>
void gather_region(const Desc& d, const Region& r, const i64* const* source, const Tables& t,
                   const S* x, const i64* strides, i64 channels, const G& gather, T outside, T hole,
                   T* to) {
  const int last = d.rank - 1;
  i64 index[kMaxRank] = {};
  do {
    i64 offset = 0, kind = 0;
    for (int a = 0; a < last; ++a) {
      const i64 s = source[a][index[a]];
      if (s >= 0)
        offset += s * strides[a];
      else if (kind != kOutside)
        kind = s;
    }
    for (i64 i = 0; i < t.run_count; ++i) {
      const Run& run = t.runs[i];
      T* row = to + run.start * channels;
      if (kind == kOutside || run.source == kOutside)
        fill(row, run.count * channels, outside);
      else if (kind == kHole || run.source == kHole)
        fill(row, run.count * channels, hole);
      else
        gather.run(x + offset + run.source * strides[last], run.step * strides[last], run.count,
                   row);
    }
    to += r.extent[last] * channels;
  } while (next_index(index, r.extent, last));
}

}  // namespace
}  // namespace multiconv::MC_TARGET
