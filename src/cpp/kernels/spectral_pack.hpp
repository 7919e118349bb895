// Prepares the kernels of fft_tiled: spectra in the order that products read them in, and the plain
// taps for the tiles that are summed directly.
#pragma once

#include <limits>

#include "kernels/spectral_tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

// Magnitudes that neither overflow in a transform nor let the spectrum vanish; -1 where there are
// none.
template <class T>
MC_INLINE double largest_value(double tap_sum, i64 points) {
  constexpr double highest = std::numeric_limits<T>::max();
  constexpr double lowest = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
  const double n = static_cast<double>(points);
  if (!(tap_sum <= highest) || (tap_sum > 0 && tap_sum / n < lowest)) return -1;
  return highest / 16 / n / (tap_sum > 1 ? tap_sum : 1);
}

// Fills a packed kernel; what spectra() needs has to be there before.
template <class T>
class SpectralPack {
  static constexpr int lanes = kLanes<T>;
  static constexpr i64 kSerialTaps = 1 << 15;  // fewer are copied before another thread wakes

 public:
  SpectralPack(const Desc& d, const SpectralPlan& p, const char* packed)
      : d_(d), p_(p), packed_(packed) {}

  void tables(char* packed) const {
    for (int a = 0; a <= p_.last; ++a) {
      const i64 count = p_.fft[a].twiddles;
      auto* table = static_cast<double*>(
          thread_scratch(Slot::table, static_cast<std::size_t>(count) * sizeof(double)));
      make_twiddles(p_.fft[a], table);
      T* to = reinterpret_cast<T*>(packed + p_.twiddles[a]);
      for (i64 i = 0; i < count; ++i) to[i] = static_cast<T>(table[i]);
    }
    T* turn = reinterpret_cast<T*>(packed + p_.turn);
    for (i64 n = 0; n < p_.row; ++n) {
      double re, im;
      unit_root(n, 4 * p_.row, &re, &im);
      turn[2 * n] = static_cast<T>(re);
      turn[2 * n + 1] = static_cast<T>(-im);
    }
  }

  // Taps in the order [group][output][input][tap]. Returns the largest sum of the magnitudes that
  // one output adds up.
  double plain(const ConstView& w, T* to) const {
    const i64 outputs = d_.groups * d_.out_channels, each = d_.in_channels * p_.taps;
    auto* sums = static_cast<double*>(
        thread_scratch(Slot::table, static_cast<std::size_t>(outputs) * sizeof(double)));
    ThreadPool::instance().parallel_for(
        outputs,
        [&](i64 output, int) {
          T* taps = to + output * each;
          copy_taps(w, output / d_.out_channels, output % d_.out_channels, taps);
          sums[output] = magnitudes(taps, each);
        },
        outputs * each > kSerialTaps);
    double largest = 0;
    for (i64 i = 0; i < outputs; ++i)
      if (!(sums[i] <= largest)) largest = sums[i];
    return largest;
  }

  // The spectra of input channel `in` of a group with the output channels from `out` on, one in
  // each lane (or, where depthwise, of the groups from this one on with one output channel), `step`
  // scalars from a frequency to the next.
  void spectra(i64 group, i64 out, i64 in, T* to, i64 step) const {
    const i64 of_output = d_.in_channels * p_.taps, of_group = d_.out_channels * of_output;
    const T* plain = reinterpret_cast<const T*>(packed_ + p_.plain) + group * of_group +
                     out * of_output + in * p_.taps;
    if (p_.depthwise)
      spectra(plain, min_of(lanes, d_.groups - group), of_group, to, step);
    else
      spectra(plain, min_of(lanes, d_.out_channels - out), of_output, to, step);
  }

 private:
  // Of `count` plain kernels, `apart` taps from one to the next.
  void spectra(const T* plain, i64 count, i64 apart, T* to, i64 step) const {
    using Tile = SpectralTile<T>;
    auto* cells = static_cast<Complex<T>*>(
        thread_scratch(Slot::tile, static_cast<std::size_t>(Tile::tile_bytes(p_))));
    auto* line =
        static_cast<T*>(thread_scratch(Slot::line, static_cast<std::size_t>(Tile::line_bytes(p_))));
    Tile tile(d_, p_, packed_, cells, line);
    const int last = p_.last;
    const i64 taps = d_.kernel[last];
    fill(line, 2 * p_.row * lanes, T(0));
    i64 at[kMaxRank + 1] = {};
    const i64 strides[] = {1};
    const Planes<const T> planes = {plain, count, apart, strides};
    const T* end = plain + (count - 1) * apart + p_.taps;
    const auto read_row = [&](i64 row) {
      T* found = tile.second_line();
      const Planes<const T> here = {plain + row * taps, planes.count, planes.channel, strides};
      read_run(here, i64(1), taps, end, found);
      for (i64 k = 0; k < taps; ++k)
        store(line + (taps - 1 - k) * d_.dilation[last] * lanes, load(found + k * lanes));
      return true;
    };
    tile.forward([&](int a, i64 i) {
      if (a < 0 || last == 0) return read_row(0);
      const i64 k = d_.kernel[a] - 1 - i / d_.dilation[a];
      if (i % d_.dilation[a] != 0 || k < 0) return false;
      at[a + 1] = at[a] * d_.kernel[a] + k;
      return a + 1 < last || read_row(at[a + 1]);
    });
    const T share = static_cast<T>(1.0 / static_cast<double>(p_.cells));
    tile.each_strip([&](i64 begin, i64 frequency, i64 width) {
      for (i64 i = 0; i < tile.outer(); ++i)
        for (i64 k = 0; k < width; ++k) {
          const Complex<T> cell = cells[begin + i * tile.pitch() + k];
          T* at = to + (frequency + i * tile.inner() + k) * step;
          store(at, cell.re * share);
          store(at + lanes, cell.im * share);
        }
    });
  }

  void copy_taps(const ConstView& w, i64 g, i64 o, T* to) const {
    const i64 row = d_.kernel[p_.last], turned = d_.flip ? -1 : 1;
    const i64 step = turned * w.strides[3 + p_.last];
    for (i64 c = 0; c < d_.in_channels; ++c)
      for (i64 t = 0; t < p_.taps; t += row, to += row) {
        const T* from = static_cast<const T*>(w.data) + w_element(d_, w.strides, g, o, c, t);
        if (step == 1)
          __builtin_memcpy(to, from, static_cast<std::size_t>(row) * sizeof(T));
        else
          for (i64 k = 0; k < row; ++k) to[k] = from[k * step];
      }
  }

  static double magnitudes(const T* values, i64 n) {
    constexpr i64 unit = 4 * lanes;
    T sums[unit] = {};
    i64 i = 0;
    for (; i + unit <= n; i += unit)
      for (i64 l = 0; l < unit; ++l) sums[l] += __builtin_fabs(values[i + l]);
    for (i64 l = 0; i < n; ++i, ++l) sums[l] += __builtin_fabs(values[i]);
    double sum = 0;
    for (const T part : sums) sum += static_cast<double>(part);
    return sum;
  }

  const Desc& d_;
  const SpectralPlan& p_;
  const char* packed_;
};

template <class T>
void pack_kernels(const Desc& d, const ConstView& w, char* packed) {
  constexpr i64 lanes = kLanes<T>;
  SpectralPlan p;
  make_spectral_plan<T>(d, p);
  const SpectralPack<T> pack(d, p, packed);
  pack.tables(packed);
  const double largest = pack.plain(w, reinterpret_cast<T*>(packed + p.plain));
  reinterpret_cast<SpectralLimits*>(packed)->largest = largest_value<T>(largest, p.points);
  if (!p.kept) return;
  T* spectra = reinterpret_cast<T*>(packed + p.spectra);
  const i64 step = p.group_spectra / p.cells;
  ThreadPool& pool = ThreadPool::instance();
  if (p.depthwise) {
    pool.parallel_for(p.in_blocks, [&](i64 b, int) {
      pack.spectra(b * lanes, 0, 0, spectra + b * p.group_spectra, step);
    });
    return;
  }
  pool.parallel_for(d.groups * p.out_blocks * d.in_channels, [&](i64 task, int) {
    const i64 c = task % d.in_channels, b = task / d.in_channels % p.out_blocks;
    const i64 g = task / d.in_channels / p.out_blocks;
    T* to = spectra + g * p.group_spectra + spectrum_place<T>(d.in_channels, p.out_blocks, c, b);
    pack.spectra(g, b * lanes, c, to, step);
  });
}

}  // namespace
}  // namespace multiconv::MC_TARGET
