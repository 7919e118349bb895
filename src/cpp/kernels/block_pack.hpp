// Prepares the kernels of overlap-save: their spectra in the order that the transforms leave them
// in, and their plain taps for the blocks that are summed directly.
#pragma once

#include <limits>

#include "base/thread_pool.hpp"
#include "kernels/blocks.hpp"
#include "kernels/lanes.hpp"

namespace multiconv::MC_TARGET {

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

// The spectra of kernels, by transforms of as many lines as there are lanes. Everything is computed
// in double precision, whatever the kernel computes in.
template <class T, int scalars>
class KernelSpectra {
  static constexpr int lanes = kLanes<double>;
  static constexpr i64 kSerialPoints = 1 << 15;  // less is done before another thread wakes

 public:
  KernelSpectra(const Desc& d, const Layout& l, const ConstView& w, const double* const* twiddles)
      : d_(d), l_(l), w_(w), twiddles_(twiddles), batch_(l.last > 0 ? 1 : lanes) {
    i64 points = 1;
    for (int a = l.last; a >= 0; --a) {
      pitch_[a] = points;
      points *= a == l.last ? rounded_up(d.tile[a], lanes) : d.tile[a];
    }
    plane_ = points;
    const i64 bytes = 2 * batch_ * plane_ * static_cast<i64>(sizeof(double));
    re_ = static_cast<double*>(thread_scratch(Slot::tile, static_cast<std::size_t>(bytes)));
    im_ = re_ + batch_ * plane_;
  }

  void compute(T* spectra) {
    const i64 kernels = d_.groups * d_.out_channels;
    for (i64 first = 0; first < kernels; first += batch_, spectra += batch_ * 2 * l_.elements) {
      const i64 count = least(batch_, kernels - first);
      const i64 rows = count * box_volume(0, l_.last, d_.kernel);
      each((rows + lanes - 1) / lanes, [&](i64 i) { transform_rows(first, i * lanes, rows); });
      for (int a = l_.last - 1; a >= 0; --a)
        if (d_.tile[a] > 1)
          each(box_volume(0, a, d_.kernel) * pitch_[a] / lanes,
               [&](i64 i) { transform_columns(a, i); });
      each(count * box_volume(0, l_.last, d_.tile), [&](i64 row) { round_row(row, spectra); });
    }
  }

 private:
  template <class F>
  void each(i64 tasks, F&& f) {
    ThreadPool::instance().parallel_for(
        tasks, [&](i64 task, int) { f(task); }, tasks > 1 && plane_ > kSerialPoints);
  }

  // Correlation puts tap k of an axis at -k, so that output o needs inputs from o on.
  i64 place(int a, i64 k) const { return k > 0 ? d_.tile[a] - k * d_.dilation[a] : 0; }

  // Cells of one line in each lane, all zero.
  Complex<double>* lines(int a) const {
    const std::size_t bytes = static_cast<std::size_t>(d_.tile[a]) * sizeof(Complex<double>);
    void* memory = thread_scratch(Slot::spectrum, bytes);
    __builtin_memset(memory, 0, bytes);
    return static_cast<Complex<double>*>(memory);
  }

  // Rows [first, first + lanes) of taps, of all `rows` that the kernels from number `kernel` on
  // have.
  void transform_rows(i64 kernel, i64 first, i64 rows) {
    const int a = l_.last;
    const i64 taps = d_.kernel[a], of_kernel = box_volume(0, a, d_.kernel);
    Complex<double>* cells = lines(a);
    double* values = reinterpret_cast<double*>(cells);
    double *re[lanes], *im[lanes];
    for (int lane = 0; lane < lanes; ++lane) {
      const i64 row = least(first + lane, rows - 1);  // the last one more than once
      const i64 number = kernel + row / of_kernel;
      i64 from =
          number / d_.out_channels * w_.strides[0] + number % d_.out_channels * w_.strides[1];
      i64 to = row / of_kernel * plane_, rest = row % of_kernel;
      for (int b = a - 1; b >= 0; --b) {
        const i64 k = rest % d_.kernel[b];
        rest /= d_.kernel[b];
        from += (d_.flip ? d_.kernel[b] - 1 - k : k) * w_.strides[3 + b];
        to += place(b, k) * pitch_[b];
      }
      for (i64 k = 0; k < taps; ++k) {
        const i64 at = from + (d_.flip ? taps - 1 - k : k) * w_.strides[3 + a];
        for (int p = 0; p < scalars; ++p)
          values[(place(a, k) * 2 + p) * lanes + lane] =
              static_cast<const T*>(w_.data)[at * scalars + p];
      }
      re[lane] = re_ + to;
      im[lane] = im_ + to;
    }
    transform_lines(a, cells);
    const i64 n = d_.tile[a], end = rounded_up(n, lanes);
    lanes_to_rows(values, 2 * lanes, n, re, 1);
    lanes_to_rows(values + lanes, 2 * lanes, n, im, 1);
    for (int lane = 0; lane < lanes; ++lane)
      for (i64 i = n; i < end; ++i) re[lane][i] = im[lane][i] = 0;
  }

  // Group `index` of the columns along axis a that hold taps.
  void transform_columns(int a, i64 index) {
    const i64 groups = pitch_[a] / lanes, step = pitch_[a];
    i64 rest = index / groups, at = index % groups * lanes;
    for (int b = a - 1; b >= 0; --b) {
      at += place(b, rest % d_.kernel[b]) * pitch_[b];
      rest /= d_.kernel[b];
    }
    Complex<double>* cells = lines(a);
    for (i64 k = 0; k < d_.kernel[a]; ++k) {
      const i64 from = at + place(a, k) * step;
      cells[place(a, k)] = {load(re_ + from), load(im_ + from)};
    }
    transform_lines(a, cells);
    for (i64 i = 0; i < d_.tile[a]; ++i) {
      store(re_ + at + i * step, cells[i].re);
      store(im_ + at + i * step, cells[i].im);
    }
  }

  void transform_lines(int a, Complex<double>* cells) const {
    transform<kForward, double>({l_.fft[a], twiddles_[a], {1, 1}}, cells, cells);
  }

  void round_row(i64 row, T* spectra) const {
    const i64 rows = box_volume(0, l_.last, d_.tile);
    i64 rest = row % rows, from = row / rows * plane_, to = row / rows * l_.elements;
    for (int a = l_.last - 1; a >= 0; --a) {
      const i64 i = rest % d_.tile[a];
      rest /= d_.tile[a];
      from += i * pitch_[a];
      to += i * l_.pitch[a];
    }
    const double scale = 1.0 / static_cast<double>(l_.points);
    T* out = spectra + 2 * to;
    for (i64 i = 0; i < d_.tile[l_.last]; ++i) {
      out[2 * i] = static_cast<T>(re_[from + i] * scale);
      out[2 * i + 1] = static_cast<T>(im_[from + i] * scale);
    }
  }

  const Desc& d_;
  const Layout& l_;
  const ConstView& w_;
  const double* const* twiddles_;
  i64 batch_;  // kernels at once
  i64 pitch_[kMaxRank], plane_;
  double *re_, *im_;  // planes of `batch_` tiles
};

// The plain taps, and where they lie in a tile. Returns the largest sum of a kernel's magnitudes.
template <class T, int scalars>
double pack_taps(const Desc& d, const Layout& l, const ConstView& w, i64* offsets, T* values) {
  i64 dense[kMaxRank];  // distances in a tile without gaps
  for (int a = l.last; a >= 0; --a) dense[a] = d.dilation[a] * box_volume(a + 1, d.rank, d.tile);
  const i64 width = d.kernel[l.last], rows = box_volume(0, l.last, d.kernel);
  const i64 step = (d.flip ? -1 : 1) * w.strides[3 + l.last];
  double largest = 0;
  for (i64 kernel = 0; kernel < d.groups * d.out_channels; ++kernel) {
    double sum = 0;
    for (i64 row = 0; row < rows; ++row) {
      i64 at = kernel / d.out_channels * w.strides[0] + kernel % d.out_channels * w.strides[1];
      i64 rest = row;
      for (int a = l.last - 1; a >= 0; --a) {
        const i64 k = rest % d.kernel[a];
        rest /= d.kernel[a];
        at += (d.flip ? d.kernel[a] - 1 - k : k) * w.strides[3 + a];
      }
      if (d.flip) at += (width - 1) * w.strides[3 + l.last];
      const T* taps = static_cast<const T*>(w.data) + at * scalars;
      for (i64 k = 0; k < width; ++k)
        for (int p = 0; p < scalars; ++p) {
          const T value = taps[k * step * scalars + p];
          *values++ = value;
          sum += __builtin_fabs(static_cast<double>(value));
        }
      if (kernel > 0) continue;
      const i64 begin = box_offset(row, 0, l.last, d.kernel, dense);
      for (i64 k = 0; k < width; ++k) *offsets++ = begin + k * dense[l.last];
    }
    if (!(sum <= largest)) largest = sum;
  }
  return largest;
}

// A value is `scalars` numbers: 2 where it is complex.
template <class T, int scalars>
void pack_kernels(const Desc& d, const Layout& l, const ConstView& w, char* packed) {
  i64 sizes = 0;
  for (int a = 0; a < d.rank; ++a) sizes += l.fft[a].twiddles;
  double* table = static_cast<double*>(
      thread_scratch(Slot::table, static_cast<std::size_t>(sizes) * sizeof(double)));
  const double* twiddles[kMaxRank];
  for (int a = 0; a < d.rank; ++a) {
    int same = 0;
    while (d.tile[same] != d.tile[a]) ++same;
    twiddles[a] = same < a ? twiddles[same] : table;
    if (same < a) continue;
    make_twiddles(l.fft[a], table);
    T* rounded = reinterpret_cast<T*>(packed + l.twiddles[a]);
    for (i64 i = 0; i < l.fft[a].twiddles; ++i) rounded[i] = static_cast<T>(table[i]);
    table += l.fft[a].twiddles;
  }
  const double largest =
      pack_taps<T, scalars>(d, l, w, reinterpret_cast<i64*>(packed + l.tap_offsets),
                            reinterpret_cast<T*>(packed + l.tap_values));
  KernelSpectra<T, scalars>(d, l, w, twiddles).compute(reinterpret_cast<T*>(packed + l.spectra));
  reinterpret_cast<Limits*>(packed)->largest = largest_input<T>(largest, l.points);
}

}  // namespace multiconv::MC_TARGET
