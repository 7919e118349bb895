// Rows of numbers times a panel of vectors, in registers: sums[m, lane] over pixels of
// row[m, pixel] * panel[pixel, lane].
#pragma once

#include "base/kernel.hpp"
#include "kernels/lanes.hpp"
#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kRows = MC_REGISTERS >= 32 ? 8 : 4;  // of a block
inline constexpr int kVectors = 3;                        // of a panel, at most

// Numbers of a line of the cache.
template <class T>
inline constexpr i64 kLine = 64 / static_cast<i64>(sizeof(T));

// Pixels [start, start + count) of kLanes rows, as one vector a pixel. Of the rows, another
// `beyond` samples can be read.
template <class T>
MC_INLINE void turn(const T* const* row, i64 start, i64 count, i64 beyond, T* to) {
  constexpr i64 lanes = kLanes<T>;
  if (count + beyond < lanes) {
    for (i64 q = 0; q < count; ++q)
      for (i64 l = 0; l < lanes; ++l) to[q * lanes + l] = row[l][start + q];
    return;
  }
  for (i64 q = 0; q < count; q += lanes) {
    const i64 at = min_of(q, count + beyond - lanes);  // the last square may overlap its neighbour
    Vec<T> v[lanes];
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) v[l] = load(row[l] + start + at);
    transpose<T>(v);
    if (at + lanes <= count) {
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) store(to + (at + l) * lanes, v[l]);
    } else {
      for (i64 l = 0; l < count - at; ++l) store(to + (at + l) * lanes, v[l]);
    }
  }
}

// Pixel q of row m of image i is row[m][i * image + q].
template <class T>
struct Rows {
  const T* row[kRows];
  i64 image, images, pixels;
  i64 next;  // from these rows to those that come next
};

// Lane l of row m goes to first[m * row + place[l]].
template <class T>
struct Sums {
  T* first;
  i64 row, rows, lanes;  // of rows and lanes, those that there are
  const i64* place;      // null where lanes are neighbours
  bool begin;            // nothing is there yet
};

template <class T>
MC_INLINE void add_sums(const Sums<T>& to, int m, i64 lane, Vec<T> v) {
  constexpr i64 lanes = kLanes<T>;
  T* p = to.first + m * to.row;
  if (to.place == nullptr && lane + lanes <= to.lanes) {
    p += lane;
    store(p, to.begin ? v : load(p) + v);
    return;
  }
  T part[lanes];
  store(part, v);
  for (i64 l = 0; l < min_of(lanes, to.lanes - lane); ++l) {
    T& sum = p[to.place == nullptr ? lane + l : to.place[lane + l]];
    sum = to.begin ? part[l] : sum + part[l];
  }
}

// kRows rows times V vectors, `area` apart. What comes next is fetched on the way.
template <class T, int V>
__attribute__((noinline)) void block(const Rows<T>& x, const T* panel, i64 area,
                                     const Sums<T>& to) {
  for (int m = 0; m < kRows; ++m)
    for (int v = 0; v < V; ++v) __builtin_prefetch(to.first + m * to.row + v * kLanes<T>, 1);
  Vec<T> acc[kRows][V];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) acc[m][v] = Vec<T>{};
  for (i64 i = 0; i < x.images; ++i) {
    const T* p[kRows];
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) p[m] = x.row[m] + i * x.image;
    for (i64 begin = 0; begin < x.pixels; begin += kLine<T>) {
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) __builtin_prefetch(p[m] + begin + x.next);
      const i64 end = min_of(begin + kLine<T>, x.pixels);
      for (i64 q = begin; q < end; ++q, panel += kLanes<T>) {
        Vec<T> w[V];
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) w[v] = load(panel + v * area);
#pragma GCC unroll 8
        for (int m = 0; m < kRows; ++m) {
          const T g = p[m][q];
#pragma GCC unroll 3
          for (int v = 0; v < V; ++v) acc[m][v] += w[v] * g;
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    if (m >= to.rows) break;
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) add_sums(to, m, v * kLanes<T>, acc[m][v]);
  }
}

template <class T>
MC_INLINE void block_of(i64 vectors, const Rows<T>& x, const T* panel, i64 area,
                        const Sums<T>& to) {
  if (vectors == 3)
    block<T, 3>(x, panel, area, to);
  else if (vectors == 2)
    block<T, 2>(x, panel, area, to);
  else
    block<T, 1>(x, panel, area, to);
}

}  // namespace
}  // namespace multiconv::MC_TARGET
