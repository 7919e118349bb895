// Lines of sums over a list of taps, many outputs at once.
#pragma once

#include "kernels/line.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kVectors = 8;  // accumulators in flight

template <class T>
constexpr i64 kSlack = kVectors * kLanes<T>;

// What is summed for one output channel; a complex tap has two values.
template <class T>
struct TapList {
  i64 count;
  const i64* offset;
  const T* w;
  bool neighbours = false;  // offsets are 0, 1, 2, ...
};

// A number type's real part, how many parts it has, and the line kernel.
template <class T, int parts>
struct Number {};

template <class T, int V>
MC_INLINE void line_block(const T* box, const TapList<T>& taps, T init, T* dst) {
  Vec<T> acc[V];
  for (int v = 0; v < V; ++v) acc[v] = splat(init);
  i64 k = 0;
  if constexpr (V == kShortLine)
    if (taps.neighbours) {
      add_line<V>(box, taps.w, taps.count, acc);
      k = taps.count;
    }
  for (; k < taps.count; ++k) {
    const T* p = box + taps.offset[k];
    const T wk = taps.w[k];
    for (int v = 0; v < V; ++v) acc[v] += load(p + v * kLanes<T>) * wk;
  }
  for (int v = 0; v < V; ++v) store(dst + v * kLanes<T>, acc[v]);
}

// Complex numbers as planes of real and imaginary parts `plane` apart. Products with the taps' real
// parts and with their imaginary parts are summed apart, as in stencil_complex.hpp.
template <class T, int V>
MC_INLINE void line_block(const T* box, i64 plane, const i64* offset, const T* w, i64 n,
                          const T* init, T* dst, i64 dst_plane) {
  Vec<T> re[V], im[V], re_im[V] = {}, im_im[V] = {};
  for (int v = 0; v < V; ++v) {
    re[v] = splat(init[0]);
    im[v] = splat(init[1]);
  }
  for (i64 k = 0; k < n; ++k) {
    const T* p = box + offset[k];
    const T wr = w[2 * k], wi = w[2 * k + 1];
    for (int v = 0; v < V; ++v) {
      const Vec<T> xr = load(p + v * kLanes<T>), xi = load(p + plane + v * kLanes<T>);
      re[v] += xr * wr;
      im[v] += xi * wr;
      re_im[v] += xr * wi;
      im_im[v] += xi * wi;
    }
  }
  for (int v = 0; v < V; ++v) {
    store(dst + v * kLanes<T>, re[v] - im_im[v]);
    store(dst + dst_plane + v * kLanes<T>, im[v] + re_im[v]);
  }
}

template <class T>
struct Number<T, 1> {
  static void line(const T* box, i64, const TapList<T>& taps, const T* init, T* dst, i64,
                   i64 length) {
    // An output's place must not change its bits: where taps are not summed in order, all are long.
    const bool all = taps.neighbours && sums_by_class<T>(taps.count);
    i64 q = 0;
    for (; length - q > (all ? 0 : 4 * kLanes<T>); q += 8 * kLanes<T>)
      line_block<T, 8>(box + q, taps, *init, dst + q);
    for (; length - q > kLanes<T>; q += 4 * kLanes<T>)
      line_block<T, 4>(box + q, taps, *init, dst + q);
    if (q < length) line_block<T, 1>(box + q, taps, *init, dst + q);
  }
};

template <class T>
struct Number<T, 2> {
  static void line(const T* box, i64 plane, const TapList<T>& taps, const T* init, T* dst,
                   i64 dst_plane, i64 length) {
    const auto [n, offset, w, neighbours] = taps;
    constexpr int vectors = MC_REGISTERS >= 32 ? 4 : 2;
    i64 q = 0;
    for (; length - q > kLanes<T>; q += vectors * kLanes<T>)
      line_block<T, vectors>(box + q, plane, offset, w, n, init, dst + q, dst_plane);
    if (q < length) line_block<T, 1>(box + q, plane, offset, w, n, init, dst + q, dst_plane);
  }
};

// Short blocks wait for their own sums: fewer than four vectors cost as much as four.
MC_INLINE i64 price(i64 vectors) {
  const i64 rest = vectors % kVectors;
  return vectors - rest + (rest == 0 ? 0 : rest <= 4 ? 4 : 8);
}

}  // namespace
}  // namespace multiconv::MC_TARGET
