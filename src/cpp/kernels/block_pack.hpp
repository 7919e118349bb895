// Prepares the kernels of overlap-save: their spectra in the order that the transforms leave them
// in, and their plain taps for the blocks that are summed directly.
#pragma once

#include <limits>

#include "kernels/blocks.hpp"

namespace multiconv::MC_TARGET {

// Where correlation puts taps: tap k of an axis at -k, so that output o needs inputs from o on.
MC_INLINE i64 tap_place(const Desc& d, const Layout& l, i64 tap, int axes) {
  i64 at = 0;
  for (int a = axes - 1; a >= 0; --a) {
    const i64 k = tap % d.kernel[a];
    tap /= d.kernel[a];
    if (k > 0) at += (d.tile[a] - k * d.dilation[a]) * l.pitch[a];
  }
  return at;
}

MC_INLINE i64 tap_source(const Desc& d, const ConstView& w, i64 kernel, i64 tap) {
  i64 at = kernel / d.out_channels * w.strides[0] + kernel % d.out_channels * w.strides[1];
  for (int a = d.rank - 1; a >= 0; --a) {
    const i64 k = tap % d.kernel[a];
    tap /= d.kernel[a];
    at += (d.flip ? d.kernel[a] - 1 - k : k) * w.strides[3 + a];
  }
  return at;
}

// Magnitudes that neither overflow in a transform nor let the spectrum vanish; -1 where there are
// none.
template <class T>
MC_INLINE double largest_input(double tap_sum, i64 points) {
  constexpr double highest = std::numeric_limits<T>::max();
  constexpr double lowest = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
  const double n = static_cast<double>(points);
  if (!(tap_sum <= highest) || (tap_sum > 0 && tap_sum / n < lowest)) return -1;
  return highest / 16 / n / (tap_sum > 1 ? tap_sum : 1);
}

// A value is `scalars` numbers: 2 where it is complex.
template <class T, int scalars>
void pack_kernels(const Desc& d, const Layout& l, const ConstView& w, char* packed) {
  constexpr int lanes = kLanes<double>;
  // Everything is computed in double precision, whatever the kernel computes in.
  i64 sizes = 0;
  for (int a = 0; a < d.rank; ++a) sizes += l.fft[a].twiddles;
  double* table = static_cast<double*>(
      thread_scratch(Slot::table, static_cast<std::size_t>(sizes) * sizeof(double)));
  const double* twiddles[kMaxRank];
  for (int a = 0; a < d.rank; ++a) {
    make_twiddles(l.fft[a], table);
    T* rounded = reinterpret_cast<T*>(packed + l.twiddles[a]);
    for (i64 i = 0; i < l.fft[a].twiddles; ++i) rounded[i] = static_cast<T>(table[i]);
    twiddles[a] = table;
    table += l.fft[a].twiddles;
  }

  i64* offsets = reinterpret_cast<i64*>(packed + l.tap_offsets);
  i64 dense[kMaxRank];  // distances in a tile without gaps
  for (int a = l.last; a >= 0; --a) dense[a] = d.dilation[a] * box_volume(a + 1, d.rank, d.tile);
  for (i64 t = 0; t < l.taps; ++t) offsets[t] = box_offset(t, 0, d.rank, d.kernel, dense);

  const std::size_t bytes = static_cast<std::size_t>(l.elements) * sizeof(Complex<double>);
  auto* tile = static_cast<Complex<double>*>(thread_scratch(Slot::tile, bytes));
  double* cells = reinterpret_cast<double*>(tile);
  T* values = reinterpret_cast<T*>(packed + l.tap_values);
  T* spectra = reinterpret_cast<T*>(packed + l.spectra);
  const T* data = static_cast<const T*>(w.data);
  double largest_sum = 0;
  const i64 kernels = d.groups * d.out_channels;
  for (i64 first = 0; first < kernels; first += lanes) {
    const i64 count = least(lanes, kernels - first);
    __builtin_memset(cells, 0, bytes);
    for (i64 lane = 0; lane < count; ++lane) {
      double sum = 0;
      for (i64 t = 0; t < l.taps; ++t, values += scalars) {
        const T* tap = data + tap_source(d, w, first + lane, t) * scalars;
        double* cell = cells + tap_place(d, l, t, d.rank) * 2 * lanes + lane;
        for (int p = 0; p < scalars; ++p) {
          values[p] = tap[p];
          cell[p * lanes] = tap[p];
          sum += __builtin_fabs(static_cast<double>(tap[p]));
        }
      }
      if (!(sum <= largest_sum)) largest_sum = sum;
    }
    // Only the lines that hold taps.
    for (int a = l.last; a >= 0; --a) {
      if (d.tile[a] == 1) continue;
      const i64 parts = box_volume(0, a, d.kernel);
      for (i64 part = 0; part < parts; ++part) {
        Complex<double>* at = tile + tap_place(d, l, part, a);
        transform_axis<kForward>(d, l, a, twiddles[a], at, at);
      }
    }
    const double scale = 1.0 / static_cast<double>(l.points);
    for (i64 lane = 0; lane < count; ++lane)
      for (i64 e = 0; e < 2 * l.elements; ++e)
        *spectra++ = static_cast<T>(cells[e * lanes + lane] * scale);
  }
  reinterpret_cast<Limits*>(packed)->largest = largest_input<T>(largest_sum, l.points);
}

}  // namespace multiconv::MC_TARGET
