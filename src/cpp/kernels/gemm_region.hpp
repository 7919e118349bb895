// The part of the input that a tile of outputs reads.
//
// Along each axis it is a list of positions: the samples between the first and the last one that is
// read, or where taps lie far apart, those of each tap by themselves. Output i reads its tap k at
// position i * step + k * tap_step.
#pragma once

#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kRow = MC_REGISTERS >= 32 ? 56 : 48;  // outputs: whole blocks of pixels

struct Region {
  i64 tile[kMaxRank];   // outputs per axis
  i64 count[kMaxRank];  // tiles per axis
  i64 extent[kMaxRank], step[kMaxRank], tap_step[kMaxRank];
  i64 pitch[kMaxRank];  // positions from one to the next
  i64 tiles, outputs, positions, extents;
};

MC_INLINE void measure_axis(const Desc& d, Region& r, int a) {
  const i64 k = d.kernel[a], apart = k * r.tile[a];
  const i64 between = (r.tile[a] - 1) * d.stride[a] + (k - 1) * d.dilation[a] + 1;
  const bool together = between <= apart;
  r.extent[a] = together ? between : apart;
  r.step[a] = together ? d.stride[a] : 1;
  r.tap_step[a] = together ? d.dilation[a] : r.tile[a];
}

MC_INLINE void measure_region(const Desc& d, Region& r) {
  r.tiles = r.outputs = r.positions = 1;
  r.extents = 0;
  for (int a = d.rank - 1; a >= 0; --a) {
    measure_axis(d, r, a);
    r.count[a] = ceil_div(d.out_size[a], r.tile[a]);
    r.pitch[a] = r.positions;
    r.positions *= r.extent[a];
    r.extents += r.extent[a];
    r.tiles *= r.count[a];
    r.outputs *= r.tile[a];
  }
}

// The axis along which halves read the fewest samples twice; the first one among equals, so that
// tiles stay neighbours in memory. Rows are cut last.
MC_INLINE int axis_to_halve(const Desc& d, const Region& r) {
  int best = -1;
  double least = 0;
  for (int a = 0; a < d.rank; ++a) {
    if (r.tile[a] == 1) continue;
    Region half = r;
    half.tile[a] = ceil_div(r.tile[a], 2);
    measure_axis(d, half, a);
    double growth = static_cast<double>(half.extent[a]) / static_cast<double>(r.extent[a]);
    if (a == d.rank - 1 && r.tile[a] <= 64) growth += 1;
    if (best >= 0 && growth >= least) continue;
    best = a;
    least = growth;
  }
  return best;
}

// Tiles that read at most so many positions, `wanted` of them if they keep `least` outputs.
MC_INLINE Region choose_region(const Desc& d, i64 positions, i64 wanted, i64 least) {
  Region r{};
  for (int a = 0; a < d.rank; ++a) r.tile[a] = d.out_size[a];
  for (;;) {
    measure_region(d, r);
    const bool enough = r.tiles >= wanted || r.outputs < 2 * least;
    if (r.positions <= positions && enough) return r;
    const int a = axis_to_halve(d, r);
    if (a < 0) return r;
    r.tile[a] = ceil_div(d.out_size[a], 2 * r.count[a]);
    if (a == d.rank - 1 && r.tile[a] > kRow) r.tile[a] = ceil_div(r.tile[a], kRow) * kRow;
  }
}

// The first output of tile number `tile` and how many outputs it really has.
MC_INLINE void region_origin(const Desc& d, const Region& r, i64 tile, i64* first, i64* size) {
  for (int a = d.rank - 1; a >= 0; --a) {
    first[a] = tile % r.count[a] * r.tile[a];
    tile /= r.count[a];
    size[a] = min_of(r.tile[a], d.out_size[a] - first[a]);
  }
}

// Where the samples between the first and the last one are read, positions [begin, end) of an axis
// are elements that follow each other, the first one `source`. Empty elsewhere.
struct Interior {
  i64 begin, end, source;
};

MC_INLINE Interior interior_of(const Desc& d, const Region& r, int a, i64 first) {
  const bool together = r.step[a] == d.stride[a] && r.tap_step[a] == d.dilation[a];
  if (!together || d.in_dilation[a] != 1) return {0, 0, 0};
  const i64 start = first * d.stride[a] - d.pad_low[a];
  const i64 begin = min_of(max_of(-start, 0), r.extent[a]);
  return {begin, max_of(min_of(d.in_size[a] - start, r.extent[a]), begin), start + begin};
}

MC_INLINE i64 source_at(const Desc& d, const Region& r, int a, i64 first, i64 e) {
  const bool together = r.step[a] == d.stride[a] && r.tap_step[a] == d.dilation[a];
  const i64 i = together ? 0 : e % r.tile[a], rest = together ? e : e / r.tile[a] * d.dilation[a];
  return source_of(d, a, (first + i) * d.stride[a] + rest - d.pad_low[a]);
}

// What each position of the tile that begins at first[] reads: an element, kOutside or kHole.
MC_INLINE void find_sources(const Desc& d, const Region& r, const i64* first, i64* memory,
                            i64** source) {
  for (int a = 0; a < d.rank; ++a) {
    source[a] = memory;
    const Interior inner = interior_of(d, r, a, first[a]);
    for (i64 e = 0; e < inner.begin; ++e) memory[e] = source_at(d, r, a, first[a], e);
    for (i64 e = inner.begin; e < inner.end; ++e) memory[e] = inner.source + e - inner.begin;
    for (i64 e = inner.end; e < r.extent[a]; ++e) memory[e] = source_at(d, r, a, first[a], e);
    memory += r.extent[a];
  }
}

// The same for the last axis as runs.
MC_INLINE void find_runs(const Desc& d, const Region& r, i64 first, const i64* source, Tables& t) {
  const Interior inner = interior_of(d, r, d.rank - 1, first);
  t.run_count = 0;
  for (i64 e = 0; e < inner.begin; ++e) add_sample(t, e, source[e]);
  if (inner.begin < inner.end)
    t.runs[t.run_count++] = {inner.begin, inner.end - inner.begin, inner.source, 1};
  for (i64 e = inner.end; e < r.extent[d.rank - 1]; ++e) add_sample(t, e, source[e]);
}

// Counts index[0 .. axes) up, the last one fastest; false at the end.
MC_INLINE bool next_index(i64* index, const i64* size, int axes) {
  for (int a = axes - 1; a >= 0; --a) {
    if (++index[a] < size[a]) return true;
    index[a] = 0;
  }
  return false;
}

}  // namespace
}  // namespace multiconv::MC_TARGET
