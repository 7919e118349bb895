// Rows of data times rows of gradients: the sums of neighbouring taps of one channel, or of a
// vector of channels.
#pragma once

#include "kernels/channel_io.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kTogether = 8;  // taps whose sums stay in registers

// Sums of a tap that take turns, where taps are too few to hide what a product takes.
template <int K>
inline constexpr int kTurns = K <= 4 ? 2 : 1;

// Taps [first, first + count) of a row of the kernel: tap k of output q reads sample
// q * stride + k * dilation - low of `size`.
struct RowTaps {
  i64 stride, dilation, low, size;
  i64 outputs;
};

// Lanes are channels; `data` and `grad` are apart by as much from one pixel to the next. Samples
// outside are zeros, which still meet the gradient.
template <class T, int K>
void row_by_channels(const RowTaps& r, i64 first, const T* data, i64 data_step, const T* grad,
                     i64 grad_step, T* sums) {
  constexpr i64 lanes = kLanes<T>;
  constexpr int turns = kTurns<K>;
  Vec<T> acc[K], more[K];
  for (int k = 0; k < K; ++k) acc[k] = load(sums + k * lanes), more[k] = Vec<T>{};
  const i64 begin = first * r.dilation - r.low, end = begin + (K - 1) * r.dilation;
  const i64 from = begin >= 0 ? 0 : min_of(ceil_div(-begin, r.stride), r.outputs);
  const i64 inside = end >= r.size ? 0 : (r.size - 1 - end) / r.stride + 1;
  const i64 to = max_of(min_of(inside, r.outputs), from);
  const T outside[lanes] = {};
  const auto edge = [&](i64 q) {
    const Vec<T> g = load(grad + q * grad_step);
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k) {
      const i64 at = q * r.stride + begin + k * r.dilation;
      acc[k] += g * load(at >= 0 && at < r.size ? data + at * data_step : outside);
    }
  };
  for (i64 q = 0; q < from; ++q) edge(q);
  const i64 apart = r.dilation * data_step, next = r.stride * data_step;
  i64 q = from;
  for (; q + turns <= to; q += turns) {
    const T* p = data + (q * r.stride + begin) * data_step;
    const Vec<T> g = load(grad + q * grad_step);
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k) acc[k] += g * load(p + k * apart);
    if constexpr (turns == 1) continue;
    const Vec<T> h = load(grad + (q + 1) * grad_step);
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k) more[k] += h * load(p + next + k * apart);
  }
  for (; q < r.outputs; ++q) edge(q);
  for (int k = 0; k < K; ++k) store(sums + k * lanes, acc[k] + more[k]);
}

// Lanes are outputs of one channel; tap k of output q lies at data[k][q].
template <class T, int K>
void row_by_pixels(const T* const* data, const T* grad, i64 outputs, T* sums) {
  constexpr i64 lanes = kLanes<T>;
  constexpr i64 turns = kTurns<K>;
  Vec<T> acc[K], more[K];
  for (int k = 0; k < K; ++k) acc[k] = load(sums + k * lanes), more[k] = Vec<T>{};
  i64 q = 0;
  for (; q + turns * lanes <= outputs; q += turns * lanes) {
    const Vec<T> g = load(grad + q);
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k) acc[k] += g * load(data[k] + q);
    if constexpr (turns == 1) continue;
    const Vec<T> h = load(grad + q + lanes);
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k) more[k] += h * load(data[k] + q + lanes);
  }
  for (; q < outputs; q += lanes) {
    const i64 rest = outputs - q;
    const Vec<T> g = first_lanes<T>(load(grad + q), rest);
    for (int k = 0; k < K; ++k) acc[k] += g * first_lanes<T>(load(data[k] + q), rest);
  }
  for (int k = 0; k < K; ++k) store(sums + k * lanes, acc[k] + more[k]);
}

// f.operator()<K>(k) for taps [k, k + K) until all are done.
template <class F>
MC_INLINE void each_taps(i64 taps, F&& f) {
  i64 k = 0;
  for (; taps - k >= kTogether; k += kTogether) f.template operator()<kTogether>(k);
  switch (taps - k) {
    case 7:
      return f.template operator()<7>(k);
    case 6:
      return f.template operator()<6>(k);
    case 5:
      return f.template operator()<5>(k);
    case 4:
      return f.template operator()<4>(k);
    case 3:
      return f.template operator()<3>(k);
    case 2:
      return f.template operator()<2>(k);
    case 1:
      return f.template operator()<1>(k);
  }
}

// Samples f, f + stride, f + 2 stride, ... of a row as neighbours; zeros outside.
template <class T>
MC_INLINE void stage_phase(const T* row, i64 step, i64 size, i64 at, i64 stride, i64 count, T* to) {
  const i64 from = at >= 0 ? 0 : min_of(ceil_div(-at, stride), count);
  const i64 inside = at >= size ? 0 : (size - 1 - at) / stride + 1;
  const i64 end = max_of(min_of(inside, count), from);
  fill(to, from, T(0));
  const T* p = row + at * step;
  const i64 apart = stride * step;
  if (apart == 1)
    for (i64 i = from; i < end; ++i) to[i] = p[i];
  else if (apart == 2)
    for (i64 i = from; i < end; ++i) to[i] = p[2 * i];
  else
    for (i64 i = from; i < end; ++i) to[i] = p[i * apart];
  fill(to + end, count - end, T(0));
}

}  // namespace
}  // namespace multiconv::MC_TARGET
