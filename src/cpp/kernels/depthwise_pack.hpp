// Taps of layers whose groups have one input channel, for lanes of either kind.
#pragma once

#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

// [channel][tap], and [vector of channels][tap][lane].
template <class T>
struct DepthwisePack {
  static i64 scalars(const Desc& d) {
    return ceil_div(d.groups * d.out_channels * taps_of(d), kLanes<T>) * kLanes<T>;
  }

  static std::size_t packed_bytes(const Desc& d) {
    const i64 units = ceil_div(d.groups * d.out_channels, kLanes<T>);
    const i64 vectors = kLanes<T> > 1 ? units * taps_of(d) * kLanes<T> : 0;
    return static_cast<std::size_t>(scalars(d) + vectors) * sizeof(T);
  }

  static void pack(const Desc& d, const ConstView& w, void* packed) {
    const T* from = static_cast<const T*>(w.data);
    T* to = static_cast<T*>(packed);
    const i64 taps = taps_of(d), channels = d.groups * d.out_channels;
    for (i64 c = 0; c < channels; ++c)
      for (i64 t = 0; t < taps; ++t)
        to[c * taps + t] =
            from[w_element(d, w.strides, c / d.out_channels, c % d.out_channels, 0, t)];
    if constexpr (kLanes<T> > 1) {
      T* vectors = to + scalars(d);
      for (i64 c = 0; c < channels; c += kLanes<T>)
        for (i64 t = 0; t < taps; ++t)
          for (i64 l = 0; l < kLanes<T>; ++l)
            *vectors++ = c + l < channels ? to[(c + l) * taps + t] : T(0);
    }
  }

  // Those of a channel, or of the vector of channels that begins with it.
  template <bool by_lane>
  static const T* of(const Desc& d, const void* packed, i64 channel) {
    return static_cast<const T*>(packed) + channel * taps_of(d) + (by_lane ? scalars(d) : 0);
  }
};

}  // namespace
}  // namespace multiconv::MC_TARGET
