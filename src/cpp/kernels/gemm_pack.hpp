// Weights in panels of output channels: [group][panel][tap][input channel][output], unpadded.
#pragma once

#include "base/kernel.hpp"
#include "kernels/gemm_channel_block.hpp"
#include "kernels/lanes.hpp"
#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
inline constexpr i64 kPanel = kVectors * kLanes<T>;

// Vector loads overrun the last panel where channels end within a vector.
template <class T>
std::size_t panels_bytes(const Desc& d) {
  const i64 numbers = d.groups * d.out_channels * d.in_channels * taps_of(d);
  return static_cast<std::size_t>(numbers + kPanel<T>) * sizeof(T);
}

// One panel of one group.
template <class T>
class PanelPacker {
  static constexpr int lanes = kLanes<T>;

 public:
  PanelPacker(const Desc& d, const ConstView& w, i64 g, i64 o, T* to)
      : d_(d), w_(w), g_(g), o_(o), taps_(taps_of(d)), to_(to) {
    width_ = min_of(kPanel<T>, d.out_channels - o);
  }

  void pack() const {
    i64 m = 0;
    if (is_line())
      for (; m + lanes <= width_; m += lanes) turn(m);
    if (m < width_) copy(m);
  }

 private:
  // Whether an output's weights lie in order, without gaps.
  bool is_line() const {
    i64 step = 1;
    for (int a = d_.rank - 1; a >= 0; --a) {
      if (d_.kernel[a] > 1 && w_.strides[3 + a] != step) return false;
      step *= d_.kernel[a];
    }
    return (d_.in_channels == 1 || w_.strides[2] == step) && d_.in_channels * step >= lanes;
  }

  T* place(i64 tap, i64 c) const { return to_ + (tap * d_.in_channels + c) * width_; }

  // Outputs m, m + 1, ... are rows that become lanes.
  void turn(i64 m) const {
    const T* from = static_cast<const T*>(w_.data) + g_ * w_.strides[0] + (o_ + m) * w_.strides[1];
    const i64 all = d_.in_channels * taps_;
    each_square<lanes>(all, [&](i64 k) {
      Vec<T> v[lanes];
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) v[l] = load(from + l * w_.strides[1] + k);
      transpose<T>(v);
      i64 c = k / taps_, tap = k % taps_;
      for (int l = 0; l < lanes; ++l) {
        store(place(d_.flip ? taps_ - 1 - tap : tap, c) + m, v[l]);
        if (++tap < taps_) continue;
        tap = 0;
        ++c;
      }
    });
  }

  void copy(i64 m) const {
    const T* from = static_cast<const T*>(w_.data);
    const auto bytes = static_cast<std::size_t>(width_ - m) * sizeof(T);
    for (i64 tap = 0; tap < taps_; ++tap) {
      const T* row = from + w_element(d_, w_.strides, g_, o_ + m, 0, tap);
      for (i64 c = 0; c < d_.in_channels; ++c, row += w_.strides[2]) {
        T* to = place(tap, c) + m;
        if (w_.strides[1] == 1)
          __builtin_memcpy(to, row, bytes);
        else
          for (i64 i = 0; i < width_ - m; ++i) to[i] = row[i * w_.strides[1]];
      }
    }
  }

  const Desc& d_;
  const ConstView& w_;
  i64 g_, o_, taps_, width_;
  T* to_;
};

template <class T>
void pack_panels(const Desc& d, const ConstView& w, T* to) {
  constexpr i64 kShare = 1 << 16;  // weights that are worth another thread
  const i64 panels = ceil_div(d.out_channels, kPanel<T>), output = d.in_channels * taps_of(d);
  const i64 all = d.groups * d.out_channels * output;
  ThreadPool::instance().parallel_for(
      d.groups * panels,
      [&](i64 task, int) {
        const i64 g = task / panels, o = task % panels * kPanel<T>;
        PanelPacker<T>(d, w, g, o, to + (g * d.out_channels + o) * output).pack();
      },
      all >= kShare);
  fill(to + all, kPanel<T>, T(0));
}

// Of the panel that begins with output o, from input channel c on, segments of so many numbers.
template <class T>
MC_INLINE Panel<T> panel_of(const Desc& d, const T* packed, i64 g, i64 o, i64 c, i64 length) {
  const i64 width = min_of(kPanel<T>, d.out_channels - o);
  const T* w = packed + (g * d.out_channels + o) * d.in_channels * taps_of(d) + c * width;
  return {w, width, max_of(length, d.in_channels) * width};
}

}  // namespace
}  // namespace multiconv::MC_TARGET
