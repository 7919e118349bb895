// A few output channels times vectors of pixels, in registers: each load serves all of them, and
// neighbouring pixels that are neighbours in memory need not be turned around.
#pragma once

#include <utility>

#include "kernels/clamp.hpp"
#include "simd/hints.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kRows = MC_REGISTERS >= 32 ? 8 : 4;  // output channels of a block

// Vectors of pixels that fit beside so many output channels and a weight.
constexpr int columns_of(int rows) {
  const int most = (MC_REGISTERS - 1) / (rows + 1);
  return most < 8 ? most : 8;
}

// What is summed, for each output: samples of its own pixel, or by a list of taps.
template <class T>
struct Pixels {
  using Number = T;
  const T* x;  // [channel][pixel]
  i64 pitch;   // from one channel to the next
  i64 channels;

  i64 terms() const { return channels; }
  const T* term(i64 k) const { return x + k * pitch; }
};
template <class T>
struct TapPixels {
  using Number = T;
  const T* box;
  const i64* offset;
  i64 count;

  i64 terms() const { return count; }
  const T* term(i64 k) const { return box + offset[k]; }
};

template <class T>
struct Outputs {
  T* first;
  i64 pitch;       // from one channel to the next
  const T* start;  // a number per channel to begin with; null: go on with what is there
  const T* residual = nullptr;  // added to these sums where it is, laid out as they are
  Clamp<T> clamp = {};
};

// The weights of a term are `width` from those of the one before.
template <class X, int R, int V, class T = typename X::Number>
void pixel_block(const X& x, const T* w, i64 width, const Outputs<T>& out) {
  Vec<T> acc[R][V];
#pragma GCC unroll 8
  for (int m = 0; m < R; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v)
      acc[m][v] = out.start ? splat(out.start[m]) : load(out.first + m * out.pitch + v * kLanes<T>);
  const i64 terms = x.terms();
  for (i64 k = 0; k < terms; ++k, w += width) {
    const T* p = x.term(k);
    Vec<T> column[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      column[v] = load(p + v * kLanes<T>);
      keep<T>(column[v]);
    }
#pragma GCC unroll 8
    for (int m = 0; m < R; ++m) {
      const T tap = w[m];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) acc[m][v] += column[v] * tap;
    }
  }
  if (out.residual)
#pragma GCC unroll 8
    for (int m = 0; m < R; ++m)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) acc[m][v] += load(out.residual + m * out.pitch + v * kLanes<T>);
  out.clamp.template apply<R * V>(&acc[0][0]);
#pragma GCC unroll 8
  for (int m = 0; m < R; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) store(out.first + m * out.pitch + v * kLanes<T>, acc[m][v]);
}

template <class X, class T = typename X::Number>
using PixelBlock = void (*)(const X&, const T*, i64, const Outputs<T>&);

template <class X, int R, int... v>
PixelBlock<X> pixel_block_of(i64 vectors, std::integer_sequence<int, v...>) {
  static constexpr PixelBlock<X> blocks[] = {pixel_block<X, R, v + 1>...};
  return blocks[vectors - 1];
}

template <class X, int... r>
PixelBlock<X> pixel_block_of_rows(i64 rows, i64 vectors, std::integer_sequence<int, r...>) {
  using Find = PixelBlock<X> (*)(i64);
  static constexpr Find found[] = {[](i64 n) {
    return pixel_block_of<X, r + 1>(n, std::make_integer_sequence<int, columns_of(r + 1)>{});
  }...};
  return found[rows - 1](vectors);
}

// For so many output channels and vectors of pixels, at most columns_of(rows).
template <class X>
PixelBlock<X> pixel_block_of(i64 rows, i64 vectors) {
  return pixel_block_of_rows<X>(rows, vectors, std::make_integer_sequence<int, kRows>{});
}

}  // namespace
}  // namespace multiconv::MC_TARGET
