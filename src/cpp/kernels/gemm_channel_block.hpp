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
inline constexpr i64 kPartBytes = 32 * 1024;                 // of weights that meet all pixels

template <class T>
struct Windows {
  const T* const* rows;  // [segment][pixel]
  i64 pitch;             // from one segment to the next
  i64 segments;
  i64 begin, end;  // numbers of each
};

template <class T>
struct Panel {
  const T* w;  // [segment][number][output]
  i64 width;   // outputs: fewer than lanes where the channels end
  i64 jump;    // from one segment to the next
};

// Weights that will be wanted next come from memory meanwhile, so many at each step.
template <class T>
struct Next {
  const T* w;
  i64 each;
};

// Whether a block may be the only one that weights are wanted for meanwhile.
template <int P, int V>
inline constexpr bool kWholeRows = V > 1 && P < kPixels;

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

// Calls f(pixel, vector, where its sums lie). Places are counted anew each time: compilers would
// keep them all, in registers that the products need.
template <int P, int V, class T, class F>
MC_INLINE void each_vector(const Sums<T>& sums, F&& f) {
  i64 at = 0, pixel = sums.pixel;
  asm("" : "+r"(pixel));
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p, at += pixel)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) f(p, v, at + v * sums.vector);
}

template <class Form, int P, int V, class T = typename Form::Number>
void block(const Windows<T>& x, const Panel<T>& panel, const Sums<T>& sums, Next<T> next) {
  Vec<T> acc[P][V];
  if (sums.start)
    each_vector<P, V>(sums,
                      [&](int p, int v, i64) { acc[p][v] = load(sums.start + v * kLanes<T>); });
  else
    each_vector<P, V>(sums, [&](int p, int v, i64 at) { acc[p][v] = load(sums.first + at); });
  if (sums.residual)
    each_vector<P, V>(sums, [&](int p, int v, i64 at) { acc[p][v] += load(sums.residual + at); });
  each_vector<P, V>(sums, [&](int, int, i64 at) { __builtin_prefetch(sums.first + at, 1); });
  const i64 width = panel.width;
  for (i64 s = 0; s < x.segments; ++s) {
    const T* const* row = x.rows + s * x.pitch;
    const T* w = panel.w + s * panel.jump;
#pragma GCC unroll 2
    for (i64 c = x.begin; c < x.end; ++c, w += width, next.w += next.each) {
      __builtin_prefetch(next.w, 0, 2);
      if constexpr (kWholeRows<P, V>) __builtin_prefetch(next.w + kLanes<T>, 0, 2);
      step<Form, P, V>(acc, row, c, w);
    }
  }
  sums.clamp.template apply<P * V>(&acc[0][0]);
  each_vector<P, V>(sums, [&](int p, int v, i64 at) { store(sums.first + at, acc[p][v]); });
}

template <class T>
using ChannelBlock = void (*)(const Windows<T>&, const Panel<T>&, const Sums<T>&, Next<T>);

template <class Form, int V, int... p, class T = typename Form::Number>
ChannelBlock<T> channel_block_of(i64 pixels, std::integer_sequence<int, p...>) {
  static constexpr ChannelBlock<T> blocks[] = {block<Form, p + 1, V>...};
  return blocks[pixels - 1];
}

// So many pixels, in blocks of nearly equal size.
template <class Form, class T = typename Form::Number>
void blocks_of_part(Windows<T> x, const Panel<T>& panel, Sums<T> sums, i64 pixels, const T* next) {
  const bool one = panel.width <= kLanes<T>;
  const i64 all = ceil_div(pixels, kPixels), each = ceil_div(panel.width, all);
  const i64 numbers = x.segments * (x.end - x.begin);
  for (i64 left = all; left > 0; --left, next += numbers * each) {
    const i64 now = ceil_div(pixels, left);
    constexpr std::make_integer_sequence<int, kPixels> sizes{};
    (one ? channel_block_of<Form, 1>(now, sizes) : channel_block_of<Form, kVectors>(now, sizes))(
        x, panel, sums, {next, each});
    x.rows += now;
    sums.first += now * sums.pixel;
    if (sums.residual) sums.residual += now * sums.pixel;
    pixels -= now;
  }
}

// Parts of the weights stay in the nearest cache while all pixels pass by.
template <class Form, class T = typename Form::Number>
void blocks(const Windows<T>& x, const Panel<T>& panel, const Sums<T>& sums, i64 pixels) {
  const i64 most = max_of(kPartBytes / static_cast<i64>(sizeof(T)) / panel.width, 1);
  const i64 segments = max_of(most / x.end, 1);
  const i64 numbers = ceil_div(x.end, ceil_div(x.end, most));
  for (i64 s = 0; s < x.segments; s += segments)
    for (i64 c = 0; c < x.end; c += numbers) {
      const Windows<T> here = {x.rows + s * x.pitch, x.pitch, min_of(segments, x.segments - s), c,
                               min_of(c + numbers, x.end)};
      const T* w = panel.w + s * panel.jump + c * panel.width;
      Sums<T> part = sums;
      if (s + c > 0) part.start = part.residual = nullptr;
      if (here.end < x.end || s + segments < x.segments) part.clamp = {};
      const bool row_ends = here.end == x.end;
      const T* next =
          row_ends ? panel.w + (s + here.segments) * panel.jump : w + (here.end - c) * panel.width;
      blocks_of_part<Form>(here, {w, panel.width, panel.jump}, part, pixels, next);
    }
}

}  // namespace
}  // namespace multiconv::MC_TARGET
