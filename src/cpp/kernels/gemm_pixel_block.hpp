// The other way to fill registers: a few output channels times vectors of pixels. For windows of
// one sample, where neighbouring pixels are neighbours in memory and nothing has to be turned
// around.
#pragma once

#include <utility>

#include "kernels/clamp.hpp"
#include "simd/keep.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kRows = MC_REGISTERS >= 32 ? 8 : 4;  // output channels of a block

// Vectors of pixels that fit beside so many output channels and a weight.
constexpr int columns_of(int rows) {
  const int most = (MC_REGISTERS - 1) / (rows + 1);
  return most < 8 ? most : 8;
}

template <class T>
struct Pixels {
  const T* x;  // [channel][pixel]
  i64 pitch;   // from one channel to the next
  i64 channels;
};

template <class T>
struct Outputs {
  T* first;
  i64 pitch;       // from one channel to the next
  const T* start;  // a number per channel to begin with; null: go on with what is there
  Clamp<T> clamp = {};
};

template <class T, int R, int V>
void pixel_block(const Pixels<T>& x, const T* w, i64 width, const Outputs<T>& out) {
  Vec<T> acc[R][V];
#pragma GCC unroll 8
  for (int m = 0; m < R; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v)
      acc[m][v] = out.start ? splat(out.start[m]) : load(out.first + m * out.pitch + v * kLanes<T>);
  const T* p = x.x;
  for (i64 c = 0; c < x.channels; ++c, p += x.pitch, w += width) {
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
  out.clamp.template apply<R * V>(&acc[0][0]);
#pragma GCC unroll 8
  for (int m = 0; m < R; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) store(out.first + m * out.pitch + v * kLanes<T>, acc[m][v]);
}

template <class T>
using PixelBlock = void (*)(const Pixels<T>&, const T*, i64, const Outputs<T>&);

template <class T, int R, int... v>
PixelBlock<T> pixel_block_of(i64 vectors, std::integer_sequence<int, v...>) {
  static constexpr PixelBlock<T> blocks[] = {pixel_block<T, R, v + 1>...};
  return blocks[vectors - 1];
}

template <class T, int... r>
PixelBlock<T> pixel_block_of_rows(i64 rows, i64 vectors, std::integer_sequence<int, r...>) {
  using Find = PixelBlock<T> (*)(i64);
  static constexpr Find found[] = {[](i64 n) {
    return pixel_block_of<T, r + 1>(n, std::make_integer_sequence<int, columns_of(r + 1)>{});
  }...};
  return found[rows - 1](vectors);
}

// For so many output channels and vectors of pixels, at most columns_of(rows).
template <class T>
PixelBlock<T> pixel_block_of(i64 rows, i64 vectors) {
  return pixel_block_of_rows<T>(rows, vectors, std::make_integer_sequence<int, kRows>{});
}

}  // namespace
}  // namespace multiconv::MC_TARGET
