// Kernels of several rows. The rows of the input pass by one after another: each is loaded once and
// added to all outputs whose windows hold it, which wait in a ring of registers.
//
// An output is summed by rows of its plane first, then channel by channel and tap by tap.
#pragma once

#include "kernels/tile.hpp"
#include "simd/hints.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kRingRows = MC_REGISTERS >= 32 ? 11 : 6;  // of a kernel at most

// Vectors side by side: as many as registers hold beside a row of values and a tap.
MC_INLINE constexpr int ring_vectors(i64 rows) {
  return (MC_REGISTERS - 2) / (rows + 1) >= 4 ? 4 : 2;
}

// Two columns of outputs, half of the vectors each, and what they are summed from.
template <class T>
struct Columns {
  const T* const* rows;  // of the input
  i64 span, groups;      // rows that are seen, in so many planes
  const i64* planes;     // where the rows of a plane begin among all
  const T* w;            // [plane][tap of a row][row]
  i64 taps, step;        // of a row, and their distance
  i64 at[2];             // where both columns begin in the rows
  T* out[2];
  i64 out_row;
  T bias;
  bool streams;          // past the caches
  const T* const* next;  // rows to fetch for the columns that follow, or null
  i64 next_at;
  const T* next_out;
};

// Adds a row of the input to slots [begin, end) of the ring: slot q holds the output that sees it
// by tap row P - q.
template <int N, int V, int P, int begin, int end, class T>
MC_INLINE void add_to_ring(const Columns<T>& c, const T* const* row, Vec<T> (*ring)[V]) {
  constexpr i64 lanes = kLanes<T>;
  const T* w = c.w;
  for (i64 g = 0; g < c.groups; ++g) {
    const T* at = row[c.planes[g]];
    const T* half[] = {at + c.at[0], at + c.at[1] - V / 2 * lanes};
    for (i64 k = 0; k < c.taps; ++k, w += N) {
      Vec<T> value[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        value[v] = load(half[v >= V / 2] + k * c.step + v * lanes);
        keep<T>(value[v]);
      }
#pragma GCC unroll 16
      for (int q = begin; q < end; ++q) {
        const T tap = w[(P - q + N) % N];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) ring[q][v] += value[v] * tap;
      }
    }
  }
}

template <int V, class T>
MC_INLINE void write_columns(const Columns<T>& c, i64 y, const Vec<T>* sums) {
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
    T* to = c.out[v >= V / 2] + y * c.out_row + v % (V / 2) * kLanes<T>;
    if (c.streams)
      stream<T>(to, sums[v]);
    else
      store(to, sums[v]);
  }
}

// Asks for what the next columns will be the first to touch on row j: too many rows are read at
// once for the hardware to foresee.
template <int V, class T>
MC_INLINE void fetch_next(const Columns<T>& c, i64 j, i64 y) {
  constexpr i64 line = 64 / static_cast<i64>(sizeof(T));
  for (i64 i = 0; i < V * kLanes<T>; i += line) {
    __builtin_prefetch(c.next[j] + c.next_at + i);
    if (!c.streams) __builtin_prefetch(c.next_out + y * c.out_row + i, 1);
  }
}

// Where a turn of the ring lies: outputs begin in the first one and end in the last one, and where
// others are summed they are of no use.
enum class Turn { first, middle, last };

// Rows j + P ... j + N - 1. The slot of an output that is complete begins anew.
template <int N, int V, int P, Turn turn, class T>
MC_INLINE void turn_ring(const Columns<T>& c, i64 j, Vec<T> (*ring)[V]) {
  if constexpr (P < N) {
    if (j + P == c.span) return;
    if (c.next) fetch_next<V>(c, j + P, j + P - (N - 1));
    constexpr int begin = turn == Turn::last ? P + 1 : 0, end = turn == Turn::first ? P + 1 : N;
    add_to_ring<N, V, P, begin, end>(c, c.rows + j + P, ring);
    constexpr int full = (P + 1) % N;
    if (j + P >= N - 1) write_columns<V>(c, j + P - (N - 1), ring[full]);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) ring[full][v] = splat(c.bias);
    turn_ring<N, V, P + 1, turn>(c, j, ring);
  }
}

// For kernels of N rows.
template <int N, class T>
void sweep_columns(const Columns<T>& columns) {
  constexpr int V = ring_vectors(N);
  const Columns<T> c = columns;  // that no store can change
  Vec<T> ring[N][V];
#pragma GCC unroll 16
  for (int q = 0; q < N; ++q)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) ring[q][v] = splat(c.bias);
  const bool whole = (c.span + 1) % N == 0;  // turns: no output begins or ends within one
  i64 j = 0;
  if (whole) {
    turn_ring<N, V, 0, Turn::first>(c, 0, ring);
    j = N;
  }
  for (; j + whole * N < c.span; j += N) turn_ring<N, V, 0, Turn::middle>(c, j, ring);
  if (whole) turn_ring<N, V, 0, Turn::last>(c, j, ring);
}
template <class T, int N = 2>
MC_INLINE void sweep_of(i64 rows, const Columns<T>& c) {
  if (rows == N)
    sweep_columns<N>(c);
  else if constexpr (N < kRingRows)
    sweep_of<T, N + 1>(rows, c);
}

}  // namespace
}  // namespace multiconv::MC_TARGET
