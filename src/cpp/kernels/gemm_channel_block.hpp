// The innermost part of a layer: a few pixels times a panel of output channels, in registers.
//
// A pixel's window is a list of segments, each a run of neighbouring numbers, and a table tells
// where each segment of each pixel lies (indirect convolution; Dukhan, arXiv 1907.02129). So
// windows are read where they are, at any stride, and those beyond the border from a row of
// constants. Register blocking after Georganas et al., "Anatomy of High-Performance Deep Learning
// Convolutions on SIMD Architectures", SC'18.
#pragma once

#include <utility>

#include "kernels/clamp.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kPixels = MC_REGISTERS >= 32 ? 14 : 6;  // of a block
inline constexpr int kVectors = 2;                           // of output channels of a block
inline constexpr int kUnroll = 4;                            // channels

template <class T>
struct Windows {
  const T* const* rows;  // [segment][pixel]
  i64 pitch;             // from one segment to the next
  i64 segments, length;
};

template <class T>
struct Panel {
  const T* w;  // [segment][number][output]
  i64 width;   // outputs: fewer than lanes where the channels end
  i64 jump;    // from one segment to the next
};

template <class T>
struct Sums {
  T* first;
  i64 pixel, vector;            // elements from one to the next
  const T* start;               // vectors to begin with; null: go on with what is there
  const T* residual = nullptr;  // added to these where it is, laid out as sums are
  Clamp<T> clamp = {};
};

template <class Form, int P, int V, class T = typename Form::Number>
MC_INLINE void step(Vec<T> (&acc)[P][V], const T* const* row, i64 c, const T* w) {
  Vec<T> taps[V];
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) taps[v] = load(w + v * kLanes<T>);
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p) {
    const T x = row[p][c];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[p][v] = Form::add(acc[p][v], taps[v], x);
  }
}

template <class Form, int P, int V, class T = typename Form::Number>
void block(const Windows<T>& x, const Panel<T>& panel, const Sums<T>& sums) {
  Vec<T> acc[P][V];
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
      acc[p][v] = load(sums.start ? sums.start + v * kLanes<T>
                                  : sums.first + p * sums.pixel + v * sums.vector);
  if (sums.residual)
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v)
        acc[p][v] += load(sums.residual + p * sums.pixel + v * sums.vector);
  const i64 width = panel.width;
  for (i64 s = 0; s < x.segments; ++s) {
    const T* const* row = x.rows + s * x.pitch;
    const T* w = panel.w + s * panel.jump;
    i64 c = 0;
    for (; c + kUnroll <= x.length; c += kUnroll)
#pragma GCC unroll 4
      for (int u = 0; u < kUnroll; ++u, w += width) step<Form, P, V>(acc, row, c + u, w);
    for (; c < x.length; ++c, w += width) step<Form, P, V>(acc, row, c, w);
  }
  sums.clamp.template apply<P * V>(&acc[0][0]);
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(sums.first + p * sums.pixel + v * sums.vector, acc[p][v]);
}

template <class T>
using ChannelBlock = void (*)(const Windows<T>&, const Panel<T>&, const Sums<T>&);

template <class Form, int V, int... p, class T = typename Form::Number>
ChannelBlock<T> channel_block_of(i64 pixels, std::integer_sequence<int, p...>) {
  static constexpr ChannelBlock<T> blocks[] = {block<Form, p + 1, V>...};
  return blocks[pixels - 1];
}

// So many pixels, in blocks of nearly equal size.
template <class Form, class T = typename Form::Number>
void blocks(Windows<T> x, const Panel<T>& panel, Sums<T> sums, i64 pixels) {
  const bool one = panel.width <= kLanes<T>;
  for (i64 left = (pixels + kPixels - 1) / kPixels; left > 0; --left) {
    const i64 now = (pixels + left - 1) / left;
    constexpr std::make_integer_sequence<int, kPixels> sizes{};
    (one ? channel_block_of<Form, 1>(now, sizes) : channel_block_of<Form, kVectors>(now, sizes))(
        x, panel, sums);
    x.rows += now;
    sums.first += now * sums.pixel;
    if (sums.residual) sums.residual += now * sums.pixel;
    pixels -= now;
  }
}

}  // namespace
}  // namespace multiconv::MC_TARGET
