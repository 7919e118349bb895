// Lines along one axis, one per lane: where they lie, how they come into the lanes and go back.
//
// Lines are cut into segments of `step` outputs. Where the axis is not the last one, lanes are
// neighbours along the last one and rows move as they lie; else any lines and segments of a group
// share a vector, and rows are transposed.
#pragma once

#include "base/kernel.hpp"
#include "kernels/block_io.hpp"
#include "kernels/lanes.hpp"

namespace multiconv::MC_TARGET {

// The axis along which the kernel extends.
MC_INLINE int moving_axis(const Desc& d) {
  int a = d.rank - 1;
  while (a > 0 && d.kernel[a] == 1) --a;
  return a;
}

template <class T>
class LineIo {
  static constexpr i64 lanes = kLanes<T>;
  static constexpr i64 kLong = 2048;      // outputs that are worth a start
  static constexpr i64 kCache = 1 << 20;  // bytes of samples in flight
  static constexpr i64 kChunk = 128;      // samples of a line moved at once
  static constexpr i64 kMostVectors = 8;

 public:
  explicit LineIo(const Desc& d)
      : d_(d),
        axis_(moving_axis(d)),
        last_(d.rank - 1),
        beside_(axis_ != last_ && d.out_size[last_] >= lanes),
        taps_(d.kernel[axis_]) {
    const i64 n = d.out_size[axis_];
    i64 others = d.batch;
    for (int a = 0; a < d.rank; ++a)
      if (a != axis_) others *= d.out_size[a];
    i64 longest = most(kLong, 4 * taps_);
    if (others < 2 * lanes)  // a few lines: their segments fill the lanes
      longest = most(most(256, 2 * taps_), least(longest, n / (2 * lanes / others)));
    segments = (n + longest - 1) / longest;
    step = (n + segments - 1) / segments;
    segments = (n + step - 1) / step;
    width = lanes;
    while (beside_ && width < kMostVectors * lanes && width < d.out_size[last_] &&
           2 * width * depth() * static_cast<i64>(sizeof(T)) <= kCache)
      width *= 2;
    if (beside_) {
      strips_ = (d.out_size[last_] + width - 1) / width;
      tasks = others / d.out_size[last_] * strips_ * segments;
    } else {
      lines_ = others * segments;
      tasks = (lines_ + width - 1) / width;
    }
  }

  i64 depth() const { return step + taps_; }  // samples of a lane
  // Vector loads may overrun the last sample.
  i64 bytes() const { return (depth() * width + lanes) * static_cast<i64>(sizeof(T)); }
  static i64 row_bytes() { return (lanes + 1) * kChunk * static_cast<i64>(sizeof(T)); }

  // One task's lanes: samples from the one before the first output's window on.
  class Task {
   public:
    Task(const LineIo& io, const RunArgs& args, i64 task)
        : io_(io), args_(args), d_(args.desc), group_(task / io.tasks), first_(task % io.tasks) {
      if (io_.beside_) {
        const i64 segment = first_ % io_.segments, strip = first_ / io_.segments;
        const i64 column = strip % io_.strips_ * io_.width;
        place_[0] = locate(strip / io_.strips_, segment, true);
        place_[0].x += column * args.x.strides[3 + io.last_];
        place_[0].out += column * args.out.strides[3 + io.last_];
        used_ = least(io_.width, d_.out_size[io_.last_] - column);
        count = place_[0].count;
      } else {
        used_ = least(io_.width, io_.lines_ - first_ * io_.width);
        for (i64 l = 0; l < used_; ++l) {
          const i64 index = first_ * io_.width + l;
          place_[l] = locate(index / io_.segments, index % io_.segments, false);
          count = most(count, place_[l].count);
        }
      }
    }

    void load(T* samples, T* rows) const {
      if (io_.beside_)
        load_beside(samples);
      else
        load_lines(samples, rows);
    }

    void store(const T* samples, T* rows) const {
      if (io_.beside_)
        store_beside(samples);
      else
        store_lines(samples, rows);
    }

    i64 count = 0;  // outputs of the longest lane

   private:
    struct Place {
      i64 x, out;  // where the line begins, in elements
      i64 begin;   // first output
      i64 count;   // outputs
    };

    Place locate(i64 line, i64 segment, bool but_last) const {
      Place p = {group_ * args_.x.strides[1], group_ * args_.out.strides[1], segment * io_.step, 0};
      p.count = least(io_.step, d_.out_size[io_.axis_] - p.begin);
      for (int a = io_.last_; a >= 0; --a) {
        if (a == io_.axis_ || (but_last && a == io_.last_)) continue;
        p.x += line % d_.out_size[a] * args_.x.strides[3 + a];
        p.out += line % d_.out_size[a] * args_.out.strides[3 + a];
        line /= d_.out_size[a];
      }
      p.x += line * args_.x.strides[0];
      p.out += line * args_.out.strides[0];
      return p;
    }

    i64 start(const Place& p) const { return p.begin - d_.pad_low[io_.axis_] - 1; }
    i64 needed(const Place& p) const { return p.count + io_.taps_; }

    void load_beside(T* to) const {
      const Place& p = place_[0];
      const T* from = static_cast<const T*>(args_.x.data) + p.x;
      const i64 down = args_.x.strides[3 + io_.axis_], along = args_.x.strides[3 + io_.last_];
      const T constant = static_cast<T>(d_.cval[0]);
      for (i64 i = 0; i < needed(p); ++i, to += io_.width) {
        const i64 at = resolve_index(start(p) + i, d_.in_size[io_.axis_], d_.boundary[io_.axis_]);
        const T* row = from + at * down;
        if (at == kOutside)
          for (i64 l = 0; l < used_; ++l) to[l] = constant;
        else if (along == 1)
          __builtin_memcpy(to, row, static_cast<std::size_t>(used_) * sizeof(T));
        else
          for (i64 l = 0; l < used_; ++l) to[l] = row[l * along];
        for (i64 l = used_; l < io_.width; ++l) to[l] = T(0);
      }
    }

    void store_beside(const T* from) const {
      const Place& p = place_[0];
      const i64 down = args_.out.strides[3 + io_.axis_], along = args_.out.strides[3 + io_.last_];
      T* row = static_cast<T*>(args_.out.data) + p.out + p.begin * down;
      for (i64 i = 0; i < p.count; ++i, row += down, from += io_.width) {
        if (along == 1)
          __builtin_memcpy(row, from, static_cast<std::size_t>(used_) * sizeof(T));
        else
          for (i64 l = 0; l < used_; ++l) row[l * along] = from[l];
      }
    }

    void load_lines(T* to, T* rows) const {
      const i64 stride = args_.x.strides[3 + io_.axis_], n = d_.in_size[io_.axis_];
      const T constant = static_cast<T>(d_.cval[0]);
      T* zeros = rows + lanes * kChunk;
      for (i64 i = 0; i < kChunk; ++i) zeros[i] = T(0);
      for (i64 c = 0; c < count + io_.taps_; c += kChunk) {
        const i64 chunk = least(kChunk, count + io_.taps_ - c);
        const T* from[lanes];
        for (i64 l = 0; l < lanes; ++l) {
          from[l] = zeros;
          const i64 length = l < used_ ? least(chunk, needed(place_[l]) - c) : 0;
          if (length <= 0) continue;
          const T* line = static_cast<const T*>(args_.x.data) + place_[l].x;
          const i64 at = start(place_[l]) + c;
          from[l] = line + at;
          if (length == chunk && stride == 1 && at >= 0 && at + length <= n) continue;
          T* row = rows + l * kChunk;
          copy_line<1>(line, stride, n, d_.boundary[io_.axis_], &constant, at, length, row);
          for (i64 i = length; i < chunk; ++i) row[i] = T(0);
          from[l] = row;
        }
        rows_to_lanes(from, 1, chunk, to + c * lanes, lanes);
      }
    }

    void store_lines(const T* from, T* rows) const {
      const i64 stride = args_.out.strides[3 + io_.axis_];
      for (i64 c = 0; c < count; c += kChunk) {
        const i64 chunk = least(kChunk, count - c);
        T* to[lanes];
        T* out[lanes];
        for (i64 l = 0; l < lanes; ++l) {
          to[l] = rows + l * kChunk;
          out[l] = nullptr;
          const i64 length = l < used_ ? least(chunk, place_[l].count - c) : 0;
          if (length <= 0) continue;
          out[l] = static_cast<T*>(args_.out.data) + place_[l].out + (place_[l].begin + c) * stride;
          if (length == chunk && stride == 1) to[l] = out[l];
        }
        lanes_to_rows(from + c * lanes, lanes, chunk, to, 1);
        for (i64 l = 0; l < used_; ++l)
          if (out[l] && to[l] != out[l])
            for (i64 i = 0; i < least(chunk, place_[l].count - c); ++i)
              out[l][i * stride] = to[l][i];
      }
    }

    const LineIo& io_;
    const RunArgs& args_;
    const Desc& d_;
    i64 group_, first_, used_;
    Place place_[lanes];
  };

  i64 segments, step;  // of a line; outputs of a segment
  i64 width;           // lanes of a task
  i64 tasks;           // of a group

 private:
  const Desc& d_;
  int axis_, last_;
  bool beside_;
  i64 taps_, strips_ = 0, lines_ = 0;
};

}  // namespace multiconv::MC_TARGET
