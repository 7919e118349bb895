// How a layer is cut for minimal filtering: products of each axis, units of tiles that are
// transformed together, blocks of units that are multiplied together.
#pragma once

#include "kernels/cook_toom.hpp"
#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kAxes = 3;     // shorter shapes get leading axes of one
inline constexpr int kVectors = 2;  // of output channels that are multiplied together
inline constexpr int kTileRows = MC_REGISTERS >= 32 ? 14 : 6;  // tiles whose sums stay in registers

template <class T>
inline constexpr i64 kOutputs = kVectors * kLanes<T>;

inline constexpr i64 kPrivate = 500 * 1024;   // bytes of a thread's own block of tiles
inline constexpr i64 kShared = 8 << 20;       // bytes of inputs that all threads transform together
inline constexpr i64 kSumBytes = 300 * 1024;  // bytes of products of a task
inline constexpr i64 kBoxBytes = 40 * 1024;   // bytes of a box, of a plane where planes are summed
inline constexpr i64 kFar = 16 << 20;         // bytes of weights that no cache is taken to hold
inline constexpr i64 kLeastRows = 12;         // tiles that make a thread's own block worth it

// Outputs, taps and products of a tile along each axis. The first axis may be summed tap by tap
// instead: then its tile is one output, and `taps` its taps.
struct Form {
  i64 m[kAxes], r[kAxes];
  int t[kAxes];
  i64 taps, products;
};

// The axis of a form that axis a of the arrays is.
MC_INLINE int form_axis(const Desc& d, int a) { return a + kAxes - d.rank; }

MC_INLINE bool has_tiles(const Desc& d) {
  for (int a = 0; a < d.rank; ++a)
    if (d.tile[a] != 0) return true;
  return false;
}

// Outputs of a tile where the planner has no wish.
MC_INLINE i64 usual_tile(const Desc& d, int a) {
  if (d.kernel[a] == 1 || (a == 0 && d.rank == kAxes && d.kernel[1] * d.kernel[2] > 1)) return 1;
  return d.kernel[a] <= 3 ? 4 : d.kernel[a] <= 6 ? 8 - d.kernel[a] : 2;
}

MC_INLINE Form form_of(const Desc& d) {
  Form f = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 1, 1};
  for (int a = 0; a < d.rank; ++a) {
    const int i = form_axis(d, a);
    f.m[i] = has_tiles(d) ? d.tile[a] : usual_tile(d, a);
    if (f.m[i] == 1)
      f.taps *= d.kernel[a];
    else
      f.r[i] = d.kernel[a];
    f.t[i] = static_cast<int>(f.m[i] + f.r[i] - 1);
    f.products *= f.t[i];
  }
  return f;
}

MC_INLINE const char* check_form(const Desc& d) {
  bool any = false;
  for (int a = 0; a < d.rank; ++a) {
    const i64 m = has_tiles(d) ? d.tile[a] : usual_tile(d, a);
    if (m == 1 && (a == 0 || d.kernel[a] == 1)) continue;
    if (m < 2 || d.kernel[a] < 2 || d.kernel[a] > kMostTaps || m + d.kernel[a] - 1 > kMostProducts)
      return "its tiles and taps make too few or too many products";
    any = true;
  }
  return any ? nullptr : "no axis has taps that make fewer products";
}

// One of the problems without dilation that a dilated one falls into: every so many outputs of each
// axis. Its stride is its dilation, so that its boxes have no gaps (see tile.hpp).
struct Phase {
  Desc desc;
  i64 first[kMaxRank];
};

MC_INLINE i64 phases_of(const Desc& d) {
  i64 n = 1;
  for (int a = 0; a < d.rank; ++a) n *= min_of(d.dilation[a], d.out_size[a]);
  return n;
}

MC_INLINE Phase phase_of(const Desc& d, i64 number) {
  Phase p = {d, {}};
  for (int a = d.rank - 1; a >= 0; --a) {
    const i64 count = min_of(d.dilation[a], d.out_size[a]);
    p.first[a] = number % count;
    number /= count;
    p.desc.stride[a] = d.dilation[a];
    p.desc.pad_low[a] -= p.first[a];
    p.desc.out_size[a] = ceil_div(d.out_size[a] - p.first[a], d.dilation[a]);
  }
  return p;
}

// Tiles that are read, transformed and written together: a part of one phase of one image.
struct Unit {
  i64 image, phase;
  i64 tiles[kAxes];     // along each axis; outputs where the axis is summed tap by tap
  i64 first[kMaxRank];  // output
  i64 inputs, outputs;  // rows of its transformed input, of its products
  i64 step;             // rows from one tap of the first axis to the next
};

struct Cut {
  Form form;
  i64 tiles[kAxes];       // of a unit
  i64 units[kAxes];       // along each axis of the largest phase
  i64 phases, each, all;  // units of a phase, of all images
  i64 together;           // units of a block
  bool is_private;        // blocks are threads' own
  i64 apart;              // units of a block that a task multiplies
  i64 inputs, outputs;    // most rows of a unit
  i64 positions;          // of a unit's box
};

MC_INLINE void measure(const Desc& d, Cut& c) {
  const Phase p = phase_of(d, 0);
  c.each = c.inputs = c.outputs = c.positions = 1;
  for (int i = 0; i < kAxes; ++i) {
    const int a = i - (kAxes - d.rank);
    const i64 outputs = a < 0 ? 1 : p.desc.out_size[a], kernel = a < 0 ? 1 : d.kernel[a];
    c.units[i] = ceil_div(ceil_div(outputs, c.form.m[i]), c.tiles[i]);
    c.each *= c.units[i];
    c.outputs *= c.tiles[i];
    c.inputs *= c.tiles[i] + (c.form.m[i] == 1 ? kernel - 1 : 0);
    c.positions *= c.tiles[i] * c.form.m[i] + kernel - 1;
  }
  c.all = c.each * c.phases * d.batch;
}

// Along which axis a unit had best be halved: where it is longest for its halo. -1 where it is one
// tile.
MC_INLINE int longest_axis(const Desc& d, const Cut& c) {
  int longest = -1;
  double most = 0;
  for (int i = 0; i < kAxes; ++i) {
    const int a = i - (kAxes - d.rank);
    if (c.tiles[i] <= 1) continue;
    const double halo = static_cast<double>(d.kernel[a]) - 0.75;
    const double length = static_cast<double>(c.tiles[i] * c.form.m[i]) / halo;
    const double worth = i == kAxes - 1 ? length / 8 : length;  // neighbours in memory
    if (worth > most) {
      most = worth;
      longest = i;
    }
  }
  return longest;
}

template <class T>
Cut cut_for(const Desc& d) {
  Cut c = {};
  c.form = form_of(d);
  c.phases = phases_of(d);
  const Phase p = phase_of(d, 0);
  i64 whole[kAxes], parts[kAxes] = {1, 1, 1};
  for (int i = 0; i < kAxes; ++i) {
    const int a = i - (kAxes - d.rank);
    whole[i] = c.tiles[i] = a < 0 ? 1 : ceil_div(p.desc.out_size[a], c.form.m[i]);
  }
  const i64 size = sizeof(T), lanes = kLanes<T>;
  const i64 inputs = ceil_div(d.in_channels, lanes) * lanes * c.form.products * size;
  const i64 sums = kOutputs<T> * c.form.products * size;
  measure(d, c);
  c.is_private = kPrivate / (inputs + sums) >= kLeastRows;
  const i64 rows = max_of(c.is_private ? kPrivate / (inputs + sums) : kShared / inputs, 1);
  const i64 tasks = c.is_private ? tasks_worth(d, 1 << 19) : 1;
  const i64 planes = c.form.taps > 1 ? 4 : 1;
  for (;;) {
    const bool fits = c.inputs <= rows && c.positions * lanes * size <= kBoxBytes * planes;
    if (fits && c.each >= tasks) break;
    const int longest = longest_axis(d, c);
    if (longest < 0 || (fits && c.outputs <= kTileRows)) break;
    const i64 before = c.tiles[longest];
    while (c.tiles[longest] == before)
      c.tiles[longest] = ceil_div(whole[longest], ++parts[longest]);
    measure(d, c);
  }
  c.together = max_of(min_of(rows / c.inputs, c.all), 1);
  if (c.is_private) c.together = max_of(min_of(c.together, c.all * d.groups / 8), 1);
  c.apart =
      c.is_private ? c.together : max_of(min_of(kSumBytes / (sums * c.outputs), c.together), 1);
  return c;
}

MC_INLINE Unit unit_at(const Desc& d, const Cut& c, i64 number) {
  Unit u = {};
  i64 within = number % c.each;
  u.phase = number / c.each % c.phases;
  u.image = number / c.each / c.phases;
  const Phase p = phase_of(d, u.phase);
  u.inputs = u.outputs = u.step = 1;
  for (int i = kAxes - 1; i >= 0; --i) {
    const int a = i - (kAxes - d.rank);
    const i64 outputs = a < 0 ? 1 : p.desc.out_size[a], taps = a < 0 ? 1 : d.kernel[a];
    const i64 first = within % c.units[i] * c.tiles[i];
    within /= c.units[i];
    u.tiles[i] = max_of(min_of(ceil_div(outputs, c.form.m[i]) - first, c.tiles[i]), 0);
    if (a >= 0) u.first[a] = first * c.form.m[i];
    u.outputs *= u.tiles[i];
    u.inputs *= u.tiles[i] + (c.form.m[i] == 1 ? taps - 1 : 0);
    if (c.form.m[i] > 1 || taps == 1) u.step *= u.tiles[i];
  }
  if (u.outputs == 0) u.inputs = 0;
  return u;
}

}  // namespace
}  // namespace multiconv::MC_TARGET
