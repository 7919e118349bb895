// Complex outputs whose windows lie wholly inside the input, read and written as they lie: pairs of
// real numbers. Products with the taps' real parts and with their imaginary parts are summed apart
// and put together once, as by the boxes, so that the bits do not tell which way a sum was made.
#pragma once

#include <utility>

#include "kernels/stencil.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
struct Pair {
  T parts[2];
};

template <class T, std::size_t... lane>
MC_INLINE Vec<T> swap_parts(Vec<T> v, std::index_sequence<lane...>) {
  return __builtin_shufflevector(v, v, static_cast<int>(lane ^ 1)...);
}

// A number in every pair of lanes.
template <class T>
MC_INLINE Vec<T> splat_pair(T re, T im) {
  Vec<T> v{};
  for (int lane = 0; lane < kLanes<T>; ++lane) v[lane] = lane % 2 ? im : re;
  return v;
}

// Numbers times i, added.
template <class T>
MC_INLINE Vec<T> add_turned(Vec<T> sum, Vec<T> v) {
  return sum + swap_parts<T>(v, std::make_index_sequence<kLanes<T>>()) * splat_pair(T(-1), T(1));
}

// What a row of outputs is summed from; offsets are in real numbers.
template <class T>
struct ComplexTaps {
  i64 count;
  const i64* offsets;
  const T* values;
  T start[2];
};

// V vectors of outputs.
template <int V, class T>
MC_INLINE void complex_block(const T* x, const ComplexTaps<T>& taps, T* out) {
  Vec<T> real[V], imaginary[V] = {};
#pragma GCC unroll 8
  for (int v = 0; v < V; ++v) real[v] = splat_pair(taps.start[0], taps.start[1]);
  for (i64 k = 0; k < taps.count; ++k) {
    const T* from = x + taps.offsets[k];
    const T re = taps.values[2 * k], im = taps.values[2 * k + 1];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      const Vec<T> samples = load(from + v * kLanes<T>);
      real[v] += samples * re;
      imaginary[v] += samples * im;
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < V; ++v) store(out + v * kLanes<T>, add_turned<T>(real[v], imaginary[v]));
}

// The last block is moved back to end with the row: it makes some outputs twice, the same.
template <class T>
void complex_row(const T* x, const ComplexTaps<T>& taps, T* out, i64 width) {
  constexpr int vectors = 2 * kStencilVectors;
  constexpr i64 step = vectors * kLanes<T>;
  for (i64 q = 0;; q = min_of(q + step, width - step)) {
    complex_block<vectors>(x + q, taps, out + q);
    if (q + step == width) return;
  }
}

// `offsets` has room for all taps of all channels.
template <class T>
void stencil_complex(const RunArgs& args, const Interior& in, i64* offsets, bool parallel) {
  const Desc& d = args.desc;
  const i64 taps = taps_of(d), terms = d.in_channels * taps;
  for (i64 c = 0; c < d.in_channels; ++c)
    for (i64 t = 0; t < taps; ++t)
      offsets[c * taps + t] = 2 * (c * args.x.strides[2] + sample_offset(d, args.x.strides + 3, t));
  each_strip<T, Pair<T>>(args, in, parallel, [&](const Strip<T, Pair<T>>& s) {
    const i64 filter = s.group * d.out_channels + s.channel;
    const ComplexTaps<T> list = {terms,
                                 offsets,
                                 static_cast<const T*>(args.packed) + 2 * filter * terms,
                                 {initial<T, 2>(args, filter, 0), initial<T, 2>(args, filter, 1)}};
    for (i64 y = 0; y < s.rows; ++y) {
      const At at = s.at + y * s.out_row;
      T* out = static_cast<T*>(args.out.data) + 2 * at.out;
      complex_row((s.x + y * s.x_row)->parts, list, out, 2 * s.width);
      finish_complex(args, filter, at.residual, args.residual.strides[2 + d.rank], out, out + 1, 2,
                     s.width);
    }
  });
}

}  // namespace
}  // namespace multiconv::MC_TARGET
