// Products of spectra: at one frequency, a complex matrix of kernels times the tiles' channels.
// Output channels lie in the lanes; a block of tiles is kept in registers while the input channels
// stream by.
#pragma once

#include "kernels/spectral_plan.hpp"

namespace multiconv::MC_TARGET {
namespace {

// V vectors of output channels and P tiles. Kernels are [input channel][V][real, imaginary][lane];
// a tile's values [block of channels][real, imaginary][lane]. `more` adds to what y holds.
template <class T, int V, int P>
__attribute__((noinline)) void multiply_block(const T* h, i64 channels, const T* x, i64 x_step,
                                              T* y, i64 y_step, bool more) {
  constexpr int lanes = kLanes<T>;
  Vec<T> re[P][V] = {}, im[P][V] = {};
  if (more)
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        re[p][v] = load(y + p * y_step + v * 2 * lanes);
        im[p][v] = load(y + p * y_step + v * 2 * lanes + lanes);
      }
  for (i64 c = 0; c < channels; c += lanes, x += 2 * lanes) {
    const i64 end = min_of(lanes, channels - c);
    for (i64 l = 0; l < end; ++l, h += V * 2 * lanes) {
      Vec<T> a[V], b[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        a[v] = load(h + v * 2 * lanes);
        b[v] = load(h + v * 2 * lanes + lanes);
      }
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
        const T xr = x[p * x_step + l], xi = x[p * x_step + lanes + l];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          re[p][v] += a[v] * xr;
          im[p][v] += b[v] * xr;
          re[p][v] -= b[v] * xi;
          im[p][v] += a[v] * xi;
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      store(y + p * y_step + v * 2 * lanes, re[p][v]);
      store(y + p * y_step + v * 2 * lanes + lanes, im[p][v]);
    }
}

// Tiles in blocks of P, the rest in smaller ones.
template <class T, int V, int P>
MC_INLINE void multiply_tiles(const T* h, i64 channels, const T* x, i64 x_step, T* y, i64 y_step,
                              i64 tiles, bool more) {
  for (; tiles >= P; tiles -= P, x += P * x_step, y += P * y_step)
    multiply_block<T, V, P>(h, channels, x, x_step, y, y_step, more);
  if constexpr (P > 1) {
    constexpr int next = P > 8 ? 8 : P > 6 ? 6 : P > 4 ? 4 : P - 1;
    if (tiles > 0) multiply_tiles<T, V, next>(h, channels, x, x_step, y, y_step, tiles, more);
  }
}

// All of one frequency: x_step and y_step scalars from tile to tile.
template <class T>
void multiply_frequency(const T* h, i64 channels, i64 out_blocks, const T* x, i64 x_step, T* y,
                        i64 y_step, i64 tiles, bool more) {
  constexpr int most = MC_REGISTERS >= 32 ? 12 : 6;
  constexpr i64 unit = 2 * kLanes<T>;
  i64 b = 0;
  for (; b + kPanel <= out_blocks; b += kPanel)
    multiply_tiles<T, kPanel, most / kPanel>(h + b * channels * unit, channels, x, x_step,
                                             y + b * unit, y_step, tiles, more);
  if constexpr (kPanel > 1)
    if (b < out_blocks)
      multiply_tiles<T, 1, most>(h + b * channels * unit, channels, x, x_step, y + b * unit, y_step,
                                 tiles, more);
}

}  // namespace
}  // namespace multiconv::MC_TARGET
