// A stretch of a signal, continued beyond its ends, and how large its windows' values are.
#pragma once

#include <limits>
#include <type_traits>

#include "kernels/block_io.hpp"

namespace multiconv::MC_TARGET {

// Magnitudes are compared as integers: the order is the same, and infinities and NaN come last.
template <class T>
using Magnitude = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

template <class T>
inline constexpr Magnitude<T> kInfinite =
    __builtin_bit_cast(Magnitude<T>, std::numeric_limits<T>::infinity());

template <class T>
MC_INLINE Magnitude<T> magnitude(T x) {
  return __builtin_bit_cast(Magnitude<T>, x) & std::numeric_limits<Magnitude<T>>::max();
}

// What lies ahead: rows of a matrix are too far apart for the hardware to guess.
template <int write, class T>
MC_INLINE void prefetch_line(const T* line, i64 count) {
  for (i64 i = 0; i < count; i += 64 / static_cast<i64>(sizeof(T)))
    __builtin_prefetch(line + i, write);
}

// Samples [first, first + samples) of an axis of `size` values; zeros beyond them.
template <class N>
struct Signal {
  using T = typename N::Real;
  static constexpr int scalars = N::scalars;

  const T* data;
  i64 stride, size;
  Boundary mode;
  T constant[2];
  i64 first, samples;

  // Samples [i, i + width): where they lie, or a copy in `spare`.
  const T* read(i64 i, i64 width, T* spare) const {
    const i64 count = most(0, least(width, samples - i)), at = first + i;
    if (stride == 1 && count == width && at >= 0 && at + width <= size) return data + at * scalars;
    if (count > 0) copy_line<scalars>(data, stride, size, mode, constant, at, count, spare);
    for (i64 k = count * scalars; k < width * scalars; ++k) spare[k] = T(0);
    return spare;
  }

  void prefetch(i64 i, i64 width) const {
    if (stride == 1 && i < samples) prefetch_line<0>(data + (first + i) * scalars, width * scalars);
  }
};

// Finds the windows that hold nothing large, from the largest magnitude of each box of samples.
template <class N>
class Windows {
  using T = typename N::Real;
  using Size = Magnitude<T>;
  static constexpr int scalars = N::scalars;
  using Number = std::int32_t;  // of a box
  static constexpr i64 box = 64;

 public:
  static i64 bytes(i64 samples) {
    return (boxes_of(samples) + 1) * static_cast<i64>(sizeof(Size) + 2 * sizeof(Number));
  }

  // Window n is made of the `span` samples up to n, of those there are.
  Windows(const Signal<N>& signal, i64 span, void* memory)
      : signal_(signal),
        span_(span),
        boxes_(boxes_of(signal.samples)),
        peak_(static_cast<Size*>(memory)),
        next_large_(reinterpret_cast<Number*>(peak_ + boxes_ + 1)),
        next_present_(next_large_ + boxes_ + 1) {}

  void look(ThreadPool& pool) {
    constexpr i64 at_once = 256;
    pool.parallel_for((boxes_ + at_once - 1) / at_once,
                      [&](i64 task, int) {
                        const i64 end = least(boxes_, (task + 1) * at_once);
                        for (i64 b = task * at_once; b < end; ++b) peak_[b] = peak_of(b, kAll);
                      },
                      boxes_ > 2 * at_once);
    finite_ = true;
    for (i64 b = 0; b < boxes_; ++b) finite_ = finite_ && peak_[b] < kInfinite<T>;
  }

  bool finite() const { return finite_; }

  Size largest_below(Size limit) const {
    Size found = 0;
    for (i64 b = 0; b < boxes_; ++b)
      found = larger(found, peak_[b] < limit ? peak_[b] : peak_of(b, limit));
    return found;
  }

  // From now on, samples from `limit` on are large.
  void set_limit(Size limit) {
    limit_ = limit;
    const auto all = static_cast<Number>(boxes_);
    next_large_[all] = next_present_[all] = all;
    for (Number b = all - 1; b >= 0; --b) {
      next_large_[b] = peak_[b] >= limit ? b : next_large_[b + 1];
      next_present_[b] = peak_[b] > 0 ? b : next_present_[b + 1];
    }
  }

  // Whether one of the windows [n, end) holds something, but nothing large.
  bool any_small(i64 n, i64 end) const {
    constexpr i64 most_at_once = 4096;
    bool small[most_at_once];
    const i64 at_once = most(box, least(most_at_once, span_ / 2));
    for (; n < end; n += at_once) {
      const i64 count = least(at_once, end - n);
      // A box with a large sample that all these windows hold.
      const i64 inner = (begin_of(n + count - 1) + box - 1) / box;
      if (inner < boxes_ && (next_large_[inner] + 1) * box <= least(n + 1, signal_.samples))
        continue;
      find_small(n, count, small);
      for (i64 i = 0; i < count; ++i)
        if (small[i]) return true;
    }
    return false;
  }

  void find_small(i64 n, i64 count, bool* small) const {
    i64 large = -1, present = -1;
    for (i64 i = 0; i < count; ++i) {
      const i64 begin = begin_of(n + i), end = least(n + i + 1, signal_.samples);
      if (large < begin) large = next(begin, next_large_, limit_);
      if (present < begin) present = next(begin, next_present_, 1);
      small[i] = present < end && large >= end;
    }
  }

  // Calls `f(i, sample)` for the samples of windows [n, end) that are not finite, while it returns
  // true. The limit must be that of infinity.
  template <class F>
  void each_infinite(i64 n, i64 end, F&& f) const {
    for (i64 i = begin_of(n); (i = next(i, next_large_, limit_)) < least(end, signal_.samples);
         ++i) {
      T spare[scalars];
      const T* at = signal_.read(i, 1, spare);
      if (!f(i, at)) return;
    }
  }

 private:
  static constexpr Size kAll = std::numeric_limits<Size>::max();
  static i64 boxes_of(i64 samples) { return (samples + box - 1) / box; }
  static Size larger(Size a, Size b) { return a > b ? a : b; }
  i64 begin_of(i64 n) const { return most(0, n - span_ + 1); }

  // The largest magnitude of a box below a limit. A complex sample counts as a whole.
  Size peak_of(i64 b, Size limit) const {
    T spare[box * scalars];
    const T* x = signal_.read(b * box, box, spare);
    Size found = 0;
    for (i64 i = 0; i < box; ++i) {
      const Size size = size_of(x + i * scalars);
      found = larger(found, size <= limit && (limit == kAll || size < limit) ? size : 0);
    }
    return found;
  }

  static Size size_of(const T* x) { return larger(magnitude(x[0]), magnitude(x[scalars - 1])); }

  // The first sample from i on that reaches the limit, or the end.
  i64 next(i64 i, const Number* next_box, Size limit) const {
    for (i64 b = i / box; b < boxes_ && (b = next_box[b]) < boxes_; ++b) {
      T spare[box * scalars];
      const T* x = signal_.read(b * box, box, spare);
      for (i64 k = most(0, i - b * box); k < box; ++k)
        if (size_of(x + k * scalars) >= limit) return b * box + k;
    }
    return signal_.samples;
  }

  const Signal<N>& signal_;
  i64 span_, boxes_;
  Size* peak_;                          // largest magnitude of each box
  Number *next_large_, *next_present_;  // the first box from each on with such a sample
  Size limit_ = kAll;
  bool finite_ = true;
};

}  // namespace multiconv::MC_TARGET
