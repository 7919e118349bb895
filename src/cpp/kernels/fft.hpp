// Mixed-radix fast Fourier transforms of many independent signals, one per vector lane.
//
// Forward is decimation in frequency (natural order in, permuted order out), inverse is decimation
// in time (permuted in, natural out), so a convolution needs no reordering: the spectrum it is
// multiplied by comes in the same permuted order. The innermost stage ("leaf") transforms,
// multiplies and transforms back in registers, and everything above it works depth first, so that
// long transforms pass through each cache level once.
#pragma once

#include <cmath>

#include "kernels/dft.hpp"

namespace multiconv::MC_TARGET {

inline constexpr i64 kMaxPoints = i64(1) << 31;
inline constexpr int kMaxStages = 20;
inline constexpr i64 kNearBytes = 24 << 10;  // what stays in the first-level cache

struct Stage {
  int radix;
  i64 rest;      // points of each of the `radix` transforms that remain below
  i64 twiddles;  // where its factors begin, in scalars
};

struct Fft {
  i64 points;
  int stages;
  i64 twiddles;  // scalars in the table
  Stage stage[kMaxStages];
};

// False where n is not a product of 2, 3, 5 and 7.
MC_INLINE bool plan_fft(i64 n, Fft& fft) {
  if (n < 1 || n > kMaxPoints) return false;
  int radix[kMaxStages];
  int count = 0;
  i64 left = n;
  for (int odd = 7; odd >= 3; odd -= 2)
    for (; left % odd == 0; left /= odd) radix[count++] = odd;
  if (left & (left - 1)) return false;
  int bits = __builtin_ctzll(static_cast<unsigned long long>(left));
  if (bits == 1) radix[count++] = 2;
  for (; bits > 1 && bits % 3 != 0; bits -= 2) radix[count++] = 4;
  for (; bits >= 3; bits -= 3) radix[count++] = 8;
  if (count == 0) radix[count++] = 1;

  fft.points = n;
  fft.stages = count;
  fft.twiddles = 0;
  i64 rest = n;
  for (int s = 0; s < count; ++s) {
    rest /= radix[s];
    fft.stage[s] = {radix[s], rest, fft.twiddles};
    if (rest > 1) fft.twiddles += 2 * rest * (radix[s] - 1);
  }
  return true;
}

// exp(-2 pi i k / n) for 0 <= k < n, reduced exactly to the first octant.
MC_INLINE void unit_root(i64 k, i64 n, double* re, double* im) {
  const i64 octant = 8 * k / n;
  const i64 within = 8 * k - octant * n;
  constexpr long double quarter_pi = 0.785398163397448309615660845819875721L;
  const double angle = static_cast<double>(quarter_pi * (octant & 1 ? n - within : within) / n);
  const double c = __builtin_cos(angle), s = __builtin_sin(angle);
  const bool swapped = ((octant + 1) & 2) != 0;
  const double x = swapped ? s : c, y = swapped ? c : s;
  *re = octant >= 2 && octant < 6 ? -x : x;
  *im = octant < 4 ? -y : y;
}

// Roots of unity of one order. Below `most` all come from two short tables, by an angle's coarse
// and fine part: c + c (f - 1), where f - 1 is small, is rounded about as well as the roots
// themselves.
class RootTable {
 public:
  explicit RootTable(i64 n) : n_(n) {
    if (n > most) return;
    while ((n - 1) >> shift_ >= size) ++shift_;
    for (i64 k = 0; k << shift_ < n; ++k) unit_root(k << shift_, n, &coarse_[k][0], &coarse_[k][1]);
    for (i64 k = 0; k < i64(1) << shift_; ++k) {
      unit_root(k, n, &fine_[k][0], &fine_[k][1]);
      double half, sine;
      unit_root(k, 2 * n, &half, &sine);
      fine_[k][0] = -2 * sine * sine;
    }
  }

  void operator()(i64 k, double* re, double* im) const {
    if (n_ > most) return unit_root(k, n_, re, im);
    const double *c = coarse_[k >> shift_], *f = fine_[k & ((i64(1) << shift_) - 1)];
    *re = c[0] + (c[0] * f[0] - c[1] * f[1]);
    *im = c[1] + (c[0] * f[1] + c[1] * f[0]);
  }

 private:
  static constexpr i64 size = 128, most = size * size;
  i64 n_;
  int shift_ = 4;
  double coarse_[size][2], fine_[size][2];
};

MC_INLINE void make_twiddles(const Fft& fft, double* table) {
  const RootTable root(fft.points);
  for (int s = 0; s < fft.stages; ++s) {
    const auto [radix, rest, begin] = fft.stage[s];
    if (rest == 1) continue;
    const i64 turn = fft.points / (radix * rest);
    double* w = table + begin;
    for (i64 k = 0; k < rest; ++k)
      for (i64 j = 1; j < radix; ++j, w += 2) root(j * k * turn, w, w + 1);
  }
}

template <int n>
struct Int {
  static constexpr int value = n;
};

template <class F>
MC_INLINE void with_radix(int radix, F&& f) {
  switch (radix) {
    case 1:
      return f(Int<1>{});
    case 2:
      return f(Int<2>{});
    case 3:
      return f(Int<3>{});
    case 4:
      return f(Int<4>{});
    case 5:
      return f(Int<5>{});
    case 7:
      return f(Int<7>{});
    case 8:
      return f(Int<8>{});
  }
}

template <bool exchange, class T>
MC_INLINE Complex<T> exchanged(Complex<T> a) {
  if constexpr (exchange) return {a.im, a.re};
  return a;
}

// The signals that one transform works on: point i of column c lies at x[i * stride + c].
struct Columns {
  i64 stride, count;
};

// One stage over `blocks` consecutive transforms of r * rest points.
template <int r, bool inverse, class T>
__attribute__((noinline)) void pass(Complex<T>* x, i64 blocks, i64 rest, Columns columns,
                                    const T* twiddles) {
  const i64 step = rest * columns.stride;
  for (i64 block = 0; block < blocks; ++block, x += r * step) {
    const T* w = twiddles;
    for (i64 k = 0; k < rest; ++k, w += 2 * (r - 1)) {
      Complex<T>* p = x + k * columns.stride;
      for (Complex<T>* end = p + columns.count; p != end; ++p) {
        Complex<T> v[r];
#pragma GCC unroll 8
        for (int j = 0; j < r; ++j) {
          v[j] = exchanged<inverse>(p[j * step]);
          if (inverse && j > 0) v[j] = times(v[j], w[2 * j - 2], w[2 * j - 1]);
        }
        dft(v);
#pragma GCC unroll 8
        for (int j = 0; j < r; ++j) {
          if (!inverse && j > 0) v[j] = times(v[j], w[2 * j - 2], w[2 * j - 1]);
          p[j * step] = exchanged<inverse>(v[j]);
        }
      }
    }
  }
}

// What a transform does. Combined, the parts share one trip through memory.
enum Work : int { kForward = 1, kMultiply = 2, kInverse = 4, kConvolve = 7 };

// The innermost stage. The spectrum's point i of column c is the pair at 2 * (i * stride + c).
template <int r, int work, class T>
__attribute__((noinline)) void leaf(const Complex<T>* from, Complex<T>* to, i64 blocks,
                                    Columns columns, const T* spectrum) {
  const i64 stride = columns.stride;
  for (i64 block = 0; block < blocks; ++block) {
    for (i64 c = 0; c < columns.count; ++c) {
      const i64 at = block * r * stride + c;
      Complex<T> v[r];
#pragma GCC unroll 8
      for (int j = 0; j < r; ++j) v[j] = from[at + j * stride];
      if constexpr ((work & kForward) != 0) dft(v);
#pragma GCC unroll 8
      for (int j = 0; j < r; ++j) {
        const T* h = spectrum + 2 * (at + j * stride);
        if constexpr ((work & kMultiply) != 0) v[j] = times(v[j], h[0], h[1]);
        v[j] = exchanged<(work & kInverse) != 0>(v[j]);
      }
      if constexpr ((work & kInverse) != 0) dft(v);
#pragma GCC unroll 8
      for (int j = 0; j < r; ++j) to[at + j * stride] = exchanged<(work & kInverse) != 0>(v[j]);
    }
  }
}

template <class T>
struct Transform {
  const Fft& fft;
  const T* twiddles;
  Columns columns;
};

template <bool inverse, class T>
MC_INLINE void run_stage(const Transform<T>& t, int s, Complex<T>* x, i64 blocks) {
  const Stage& stage = t.fft.stage[s];
  with_radix(stage.radix, [&](auto r) {
    if constexpr (r.value > 1)
      pass<r.value, inverse>(x, blocks, stage.rest, t.columns, t.twiddles + stage.twiddles);
  });
}

// Stages s and below of one transform. The forward part works in place on `to`; the leaf reads
// `from`, which is another array only where there is no forward part.
template <int work, class T>
void descend(const Transform<T>& t, int s, const Complex<T>* from, Complex<T>* to,
             const T* spectrum) {
  const int last = t.fft.stages - 1;
  const Stage& stage = t.fft.stage[s];
  const i64 points = stage.radix * stage.rest;
  const bool near = points * t.columns.count * static_cast<i64>(sizeof(Complex<T>)) <= kNearBytes;
  if (!near && s < last) {
    if constexpr ((work & kForward) != 0) run_stage<false>(t, s, to, 1);
    for (int j = 0; j < stage.radix; ++j) {
      const i64 at = j * stage.rest * t.columns.stride;
      descend<work>(t, s + 1, from + at, to + at,
                    (work & kMultiply) != 0 ? spectrum + 2 * at : spectrum);
    }
    if constexpr ((work & kInverse) != 0) run_stage<true>(t, s, to, 1);
    return;
  }
  const auto blocks = [&](int i) { return points / (t.fft.stage[i].radix * t.fft.stage[i].rest); };
  if constexpr ((work & kForward) != 0)
    for (int i = s; i < last; ++i) run_stage<false>(t, i, to, blocks(i));
  with_radix(t.fft.stage[last].radix,
             [&](auto r) { leaf<r.value, work>(from, to, blocks(last), t.columns, spectrum); });
  if constexpr ((work & kInverse) != 0)
    for (int i = last - 1; i >= s; --i) run_stage<true>(t, i, to, blocks(i));
}

// The whole transform of all columns. `spectrum` counts only for kMultiply and carries any scaling.
template <int work, class T>
MC_INLINE void transform(const Transform<T>& t, const Complex<T>* from, Complex<T>* to,
                         const T* spectrum = nullptr) {
  descend<work>(t, 0, from, to, spectrum);
}

}  // namespace multiconv::MC_TARGET
