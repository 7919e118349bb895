// Direct summation of a tile, for data that a transform would spoil.
#pragma once

#include "base/kernel.hpp"
#include "kernels/spectral_guard.hpp"
#include "kernels/tap_sum.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
class SpectralSum {
  static constexpr i64 at_once = kSums<1, T>;

 public:
  static i64 table_bytes(const Desc& d, const SpectralPlan& p) {
    const Desc points = points_of(d, p);
    return static_cast<i64>(tables_bytes(d, box_of(points, 0))) +
           p.taps * static_cast<i64>(sizeof(i64));
  }
  // A plane of points, one of maxima or sums.
  static i64 plane_bytes(const SpectralPlan& p) {
    return (2 * p.points + at_once) * static_cast<i64>(sizeof(T));
  }

  SpectralSum(const RunArgs& args, const SpectralPlan& p, const TilePart& tile)
      : args_(args), d_(args.desc), p_(p), tile_(tile), points_(points_of(d_, p)) {
    box_ = box_of(points_, at_once);
    auto* table = static_cast<char*>(
        thread_scratch(Slot::table, static_cast<std::size_t>(table_bytes(d_, p))));
    offsets_ = reinterpret_cast<i64*>(table);
    make_tile_tables(points_, box_, tile, offsets_ + p.taps, tables_);
    plane_ = static_cast<T*>(thread_scratch(Slot::tile, static_cast<std::size_t>(plane_bytes(p))));
    result_ = plane_ + box_.volume;
    for (i64 t = 0; t < p.taps; ++t) {
      i64 rest = t, at = 0;
      for (int a = p.last; a >= 0; --a) {
        at += rest % d_.kernel[a] * d_.dilation[a] * box_.pitch[a];
        rest /= d_.kernel[a];
      }
      offsets_[t] = at;
    }
  }

  // The least of the windows' largest magnitudes over a group's channels, zeros apart.
  T least_window(i64 group) {
    fill(result_, p_.points, T(0));
    for (i64 c = 0; c < d_.in_channels; ++c) {
      gather_channel(group, c);
      for (i64 i = 0; i < p_.points; ++i) {
        const T m = __builtin_fabs(plane_[i]);
        result_[i] = result_[i] > m ? result_[i] : m;
      }
    }
    for (int a = 0; a < d_.rank; ++a) spread(a);
    T least = std::numeric_limits<T>::infinity();
    each_output_row([&](const i64*, i64 at) {
      for (i64 i = 0; i < tile_.count[p_.last]; ++i) {
        const T window = result_[at + i * d_.stride[p_.last]];
        if (window > 0 && window < least) least = window;
      }
    });
    return least;
  }

  // One output channel; `plain` are a group's weights.
  void run(i64 group, i64 channel, const T* plain) {
    const i64 width = tile_.count[p_.last], stride = d_.stride[p_.last];
    i64 rows = 1;
    for (int a = 0; a < p_.last; ++a) rows *= tile_.count[a];
    const i64 filter = group * d_.out_channels + channel;
    fill(result_, rows * width, initial<T>(args_, filter));
    for (i64 c = 0; c < d_.in_channels; ++c) {
      gather_channel(group, c);
      const Taps<T> taps = {p_.taps, offsets_, plain + (channel * d_.in_channels + c) * p_.taps};
      T* to = result_;
      each_output_row([&](const i64*, i64 at) {
        add_row(plane_ + at, taps, width, stride, to);
        to += width;
      });
    }
    T* from = result_;
    const At pixel = step_of(args_, 3 + p_.last);
    each_output_row([&](const i64* index, i64) {
      At at = place_of(args_, tile_.image, group, channel, tile_.first);
      for (int a = 0; a < p_.last; ++a) at += index[a] * step_of(args_, 3 + a);
      finish_row(args_, filter, at.residual, pixel.residual, from, width);
      store_row(from, static_cast<T*>(args_.out.data) + at.out, pixel.out, width);
      from += width;
    });
  }

 private:
  void gather_channel(i64 group, i64 c) {
    const i64* s = args_.x.strides;
    gather(points_, box_, tables_,
           static_cast<const T*>(args_.x.data) + tile_.image * s[0] + group * s[1] + c * s[2],
           s + 3, boundary_value<T>(d_, 0), plane_);
    fill(plane_ + p_.points, at_once, T(0));
  }

  // Rows of outputs: f(their indices, where their windows begin).
  template <class F>
  void each_output_row(F&& f) const {
    i64 index[kMaxRank] = {};
    for (;;) {
      i64 at = 0;
      for (int a = 0; a < p_.last; ++a) at += index[a] * d_.stride[a] * box_.pitch[a];
      f(index, at);
      int a = p_.last - 1;
      while (a >= 0 && ++index[a] == tile_.count[a]) index[a--] = 0;
      if (a < 0) break;
    }
  }

  // Every point takes the largest value of the taps along an axis that begin there, as many taps at
  // once as were taken before.
  void spread(int axis) {
    const i64 step = box_.pitch[axis], line = p_.size[axis] * step;
    for (i64 taken = 1; taken < d_.kernel[axis];) {
      const i64 more = min_of(taken, d_.kernel[axis] - taken);
      const i64 shift = more * d_.dilation[axis] * step;
      for (T* at = result_; at < result_ + p_.points; at += line)
        for (i64 i = 0; i < line - shift; ++i)
          at[i] = at[i] > at[i + shift] ? at[i] : at[i + shift];
      taken += more;
    }
  }

  void add_row(const T* from, const Taps<T>& taps, i64 width, i64 stride, T* to) {
    const i64 most_kept = (at_once - 1) / stride + 1;
    T sums[1][at_once];
    for (i64 first = 0; first < width; first += most_kept) {
      const i64 kept = min_of(width - first, most_kept);
      sum_taps<1>(from + first * stride, i64(0), taps, (kept - 1) * stride + 1, sums);
      for (i64 i = 0; i < kept; ++i) to[first + i] += sums[0][i * stride];
    }
  }

  const RunArgs& args_;
  const Desc& d_;
  const SpectralPlan& p_;
  const TilePart& tile_;
  Desc points_;
  Box box_;
  Tables tables_;
  i64* offsets_;
  T *plane_, *result_;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
