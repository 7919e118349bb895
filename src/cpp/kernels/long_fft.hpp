// Fourier transforms of one long signal, partitioned into short ones that fit in cache.
//
// A signal of C = rows * columns complex points is seen as a matrix, row by row. Its columns are
// transformed, side by side in the vector lanes; then its rows, after a twist, transposed so that
// they lie side by side too: Bailey, "FFTs in external or hierarchical memory" (1990). The spectrum
// stays in the order in which it comes, since it is only multiplied by another such one.
//
// Products are those of polynomials modulo t^C = i. For real signals of 2 C points, the second half
// as imaginary part, that is t^2C = -1: what leaves at the end comes back negated at the beginning,
// and no spectrum has to be taken apart (the right-angle convolution of Crandall & Fagin, "Discrete
// weighted transforms and large-integer arithmetic", 1994).
#pragma once

#include "base/scratch.hpp"
#include "base/thread_pool.hpp"
#include "kernels/fft.hpp"
#include "kernels/lanes.hpp"

namespace multiconv::MC_TARGET {

inline constexpr i64 kUnit = 16;            // rows and columns come in multiples of it, as lanes do
inline constexpr i64 kStripBytes = 256;     // of each row that a strip of columns spans
inline constexpr i64 kSerialPoints = 4096;  // fewer are transformed before another thread wakes

struct LongFft {
  i64 points, rows, columns;
  i64 pitch;  // vectors from one set of rows to the next; odd, to use all sets of a cache
  Fft down, along;
};

// False where the points are no product of 256, 2, 3, 5 and 7.
MC_INLINE bool plan_long_fft(i64 points, LongFft& fft) {
  if (points < kUnit * kUnit || points % (kUnit * kUnit) != 0 || points > kMaxPoints) return false;
  const i64 units = points / (kUnit * kUnit);
  // A strip of columns and a set of rows take about the same room where columns = 4 * rows.
  i64 most = 1;
  while (4 * (most + 1) * (most + 1) <= units) ++most;
  while (units % most != 0) --most;
  fft.points = points;
  fft.rows = kUnit * most;
  fft.columns = points / fft.rows;
  fft.pitch = fft.columns + 1;
  return plan_fft(fft.rows, fft.down) && plan_fft(fft.columns, fft.along);
}

// The tables of a transform, in scalars from the beginning of theirs.
struct LongTables {
  i64 down, along;   // twiddles
  i64 turn, back;    // of each row: the factors that make t^C = i, and those that undo it
  i64 fine, coarse;  // the twist: of each row and column % 16, of each column / 16 and row
  i64 scalars;
};

MC_INLINE LongTables plan_tables(const LongFft& f) {
  LongTables t = {};
  const auto take = [&](i64 scalars) {
    const i64 begin = t.scalars;
    t.scalars += (scalars + kUnit - 1) / kUnit * kUnit;
    return begin;
  };
  t.down = take(f.down.twiddles);
  t.along = take(f.along.twiddles);
  t.turn = take(2 * f.rows);
  t.back = take(2 * f.rows);
  t.fine = take(2 * f.rows * kUnit);
  t.coarse = take(2 * f.points / kUnit);
  return t;
}

// Which frequency a transform leaves at a place.
MC_INLINE i64 frequency_at(const Fft& fft, i64 place) {
  i64 frequency = 0, weight = 1;
  for (int s = 0; s < fft.stages; ++s) {
    frequency += place / fft.stage[s].rest * weight;
    place %= fft.stage[s].rest;
    weight *= fft.stage[s].radix;
  }
  return frequency;
}

// Powers of exp(-2 pi i / order), from two tables of about the order's square root.
class TwoTables {
 public:
  static i64 scalars(i64 order) { return 2 * (low_count(order) + high_count(order)); }

  TwoTables(i64 order, double* memory)
      : order_(order), bits_(low_bits(order)), low_(memory), high_(memory + 2 * low_count(order)) {}

  // The tables have to be made before use.
  void make_low() const {
    for (i64 k = 0; k < low_count(order_); ++k)
      unit_root(k, order_, low_ + 2 * k, low_ + 2 * k + 1);
  }
  void make_high() const {
    for (i64 k = 0; k < high_count(order_); ++k)
      unit_root(k << bits_, order_, high_ + 2 * k, high_ + 2 * k + 1);
  }

  void read(i64 power, double* re, double* im) const {
    power %= order_;
    if (power < 0) power += order_;
    const double* a = low_ + 2 * (power & ((i64(1) << bits_) - 1));
    const double* b = high_ + 2 * (power >> bits_);
    *re = a[0] * b[0] - a[1] * b[1];
    *im = a[0] * b[1] + a[1] * b[0];
  }

 private:
  static int low_bits(i64 order) {
    int bits = 0;
    while (i64(1) << 2 * bits < order) ++bits;
    return bits;
  }
  static i64 low_count(i64 order) { return i64(1) << low_bits(order); }
  static i64 high_count(i64 order) { return ((order - 1) >> low_bits(order)) + 1; }

  i64 order_;
  int bits_;
  double *low_, *high_;
};

// Of position (place, k) of the matrix whose columns are transformed: it turns by so many times
// k / 4 C.
MC_INLINE i64 turns_at(const LongFft& f, i64 place) { return 4 * frequency_at(f.down, place) - 1; }

template <class T>
void make_tables(const LongFft& f, const LongTables& t, ThreadPool& pool, T* tables) {
  const i64 order = 4 * f.points;
  const i64 scalars = f.down.twiddles + f.along.twiddles + TwoTables::scalars(order);
  auto* down = static_cast<double*>(
      thread_scratch(Slot::table, static_cast<std::size_t>(scalars) * sizeof(double)));
  double* along = down + f.down.twiddles;
  const TwoTables roots(order, along + f.along.twiddles);
  const auto round = [](const double* from, i64 count, T* to) {
    for (i64 i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]);
  };
  const bool parallel = f.points > kSerialPoints;
  pool.parallel_for(
      4,
      [&](i64 task, int) {
        if (task == 0) {
          make_twiddles(f.along, along);
          round(along, f.along.twiddles, tables + t.along);
        } else if (task == 1) {
          roots.make_high();
        } else if (task == 2) {
          roots.make_low();
        } else {
          make_twiddles(f.down, down);
          round(down, f.down.twiddles, tables + t.down);
        }
      },
      parallel);

  const double share = 1.0 / static_cast<double>(f.points);
  for (i64 r = 0; r < f.rows; ++r) {
    double re, im;
    roots.read(-r * f.columns, &re, &im);
    const double both[4] = {re, im, share * re, -share * im};
    round(both, 2, tables + t.turn + 2 * r);
    round(both + 2, 2, tables + t.back + 2 * r);
  }
  constexpr int lanes = kLanes<T>;
  pool.parallel_for(
      f.rows / kUnit,
      [&](i64 task, int) {
        for (i64 place = task * kUnit; place < (task + 1) * kUnit; ++place) {
          const i64 turns = turns_at(f, place);
          double re, im;
          T* fine = tables + t.fine + 2 * kUnit * place;
          for (i64 k = 0; k < kUnit; ++k) {
            roots.read(turns * k, &re, &im);
            T* at = fine + k / lanes * 2 * lanes + k % lanes;
            at[0] = static_cast<T>(re);
            at[lanes] = static_cast<T>(im);
          }
          T* coarse = tables + t.coarse + 2 * place;
          for (i64 k = 0; k < f.columns; k += kUnit, coarse += 2 * f.rows) {
            roots.read(turns * k, &re, &im);
            coarse[0] = static_cast<T>(re);
            coarse[1] = static_cast<T>(im);
          }
        }
      },
      parallel);
}

template <class T>
class LongTransform {
  static constexpr int lanes = kLanes<T>;
  static constexpr i64 subs = kUnit / lanes;                               // vectors of a unit
  static constexpr i64 strip = kStripBytes / static_cast<i64>(sizeof(T));  // columns of a strip
  using Cells = Complex<T>;

 public:
  static i64 spectrum_bytes(const LongFft& f) {
    return f.rows / lanes * f.pitch * static_cast<i64>(sizeof(Cells));
  }
  static i64 strips(const LongFft& f) { return (f.columns + strip - 1) / strip; }
  static i64 strip_bytes(const LongFft& f) {
    const i64 width = f.columns < strip ? f.columns : strip;
    return f.rows * width / lanes * static_cast<i64>(sizeof(Cells));
  }

  LongTransform(const LongFft& fft, const LongTables& tables, const T* memory, ThreadPool& pool)
      : f_(fft), t_(tables), memory_(memory), pool_(pool) {}

  // `read(n, width, to)` fills vectors of width values from points n on, times `gain` they are
  // transformed.
  template <class Read>
  void columns_forward(T gain, Cells* spectrum, Read&& read) const {
    each_strip([&](i64 first, i64 width, Cells* tile) {
      const i64 vectors = width / lanes;
      for (i64 r = 0; r < f_.rows; ++r) {
        const T* turn = memory_ + t_.turn + 2 * r;
        const T re = turn[0] * gain, im = turn[1] * gain;
        Cells* row = tile + r * vectors;
        read(r * f_.columns + first, width, row);
        for (i64 v = 0; v < vectors; ++v) row[v] = times(row[v], re, im);
      }
      transform<kForward>(column(vectors), tile, tile);
      squares(first, width, tile, spectrum,
              [&](Cells* tile, Cells* to, const T* fine, const T* coarse) {
                Vec<T> re[lanes], im[lanes];
#pragma GCC unroll 16
                for (int l = 0; l < lanes; ++l) {
                  const Cells w = times(twist(fine, l), coarse[2 * l], coarse[2 * l + 1]);
                  const Cells x = tile[l * vectors];
                  re[l] = x.re * w.re - x.im * w.im;
                  im[l] = x.re * w.im + x.im * w.re;
                }
                transpose<T>(re);
                transpose<T>(im);
#pragma GCC unroll 16
                for (int l = 0; l < lanes; ++l) to[l] = {re[l], im[l]};
              });
    });
  }

  // `write(n, width, from, factor)` takes vectors that are points n and on, once they are
  // multiplied by the factor.
  template <class Write>
  void columns_back(Cells* spectrum, Write&& write) const {
    each_strip([&](i64 first, i64 width, Cells* tile) {
      const i64 vectors = width / lanes;
      squares(first, width, tile, spectrum,
              [&](Cells* tile, Cells* from, const T* fine, const T* coarse) {
                Vec<T> re[lanes], im[lanes];
#pragma GCC unroll 16
                for (int l = 0; l < lanes; ++l) {
                  re[l] = from[l].re;
                  im[l] = from[l].im;
                }
                transpose<T>(re);
                transpose<T>(im);
#pragma GCC unroll 16
                for (int l = 0; l < lanes; ++l) {
                  const Cells w = times(twist(fine, l), coarse[2 * l], coarse[2 * l + 1]);
                  tile[l * vectors] = {re[l] * w.re + im[l] * w.im, im[l] * w.re - re[l] * w.im};
                }
              });
      transform<kInverse>(column(vectors), tile, tile);
      for (i64 r = 0; r < f_.rows; ++r)
        write(r * f_.columns + first, width, tile + r * vectors, memory_ + t_.back + 2 * r);
    });
  }

  void rows_forward(Cells* spectrum) const {
    each_set([&](i64 at) { transform<kForward>(row(), spectrum + at, spectrum + at); });
  }

  // Forward, times another spectrum, and back.
  void rows_convolve(Cells* spectrum, const Cells* other) const {
    each_set([&](i64 at) {
      Cells* x = spectrum + at;
      const Cells* h = other + at;
      transform<kForward>(row(), x, x);
      for (i64 i = 0; i < f_.columns; ++i)
        x[i] = {x[i].re * h[i].re - x[i].im * h[i].im, x[i].re * h[i].im + x[i].im * h[i].re};
      transform<kInverse>(row(), x, x);
    });
  }

 private:
  Transform<T> column(i64 vectors) const {
    return {f_.down, memory_ + t_.down, {vectors, vectors}};
  }
  Transform<T> row() const { return {f_.along, memory_ + t_.along, {1, 1}}; }

  MC_INLINE Cells twist(const T* fine, int place) {
    const T* at = fine + 2 * kUnit * place;
    return {load(at), load(at + lanes)};
  }

  template <class F>
  void each_strip(F&& f) const {
    pool_.parallel_for(
        strips(f_),
        [&](i64 s, int) {
          auto* tile = static_cast<Cells*>(
              thread_scratch(Slot::tile, static_cast<std::size_t>(strip_bytes(f_))));
          const i64 first = s * strip, left = f_.columns - first;
          f(first, left < strip ? left : strip, tile);
        },
        f_.points > kSerialPoints);
  }

  template <class F>
  void each_set(F&& f) const {
    pool_.parallel_for(
        f_.rows / lanes, [&](i64 set, int) { f(set * f_.pitch); }, f_.points > kSerialPoints);
  }

  // The squares of a strip: `lanes` rows and columns each.
  template <class F>
  void squares(i64 first, i64 width, Cells* tile, Cells* spectrum, F&& f) const {
    const i64 vectors = width / lanes;
    for (i64 place = 0; place < f_.rows; place += lanes) {
      Cells* set = spectrum + place / lanes * f_.pitch + first;
      for (i64 v = 0; v < vectors; ++v)
        f(tile + place * vectors + v, set + v * lanes,
          memory_ + t_.fine + 2 * kUnit * place + v % subs * 2 * lanes,
          memory_ + t_.coarse + 2 * ((first / kUnit + v / subs) * f_.rows + place));
    }
  }

  const LongFft& f_;
  const LongTables& t_;
  const T* memory_;
  ThreadPool& pool_;
};

}  // namespace multiconv::MC_TARGET
