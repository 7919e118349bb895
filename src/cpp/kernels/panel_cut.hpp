// How a weight gradient is cut into panels, tiles of pixels and tasks.
#pragma once

#include "kernels/gradient_layer.hpp"
#include "kernels/panel_block.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kPanelBytes = 38 << 10;
inline constexpr i64 kSetBytes = 96 << 10;    // of panels that are filled together
inline constexpr i64 kShareBytes = 16 << 20;  // of sums of all shares
inline constexpr i64 kTasks = 16;
inline constexpr double kTaskWork = 1 << 20;  // products that are worth a task

struct Cut {
  Box box;              // of a tile's pixels
  i64 images, pixels;   // of a tile: images together, pixels of each
  i64 jobs, shares;     // tiles, and runs of them that have sums of their own
  i64 taps, width;      // lanes in all, one for each pair of a channel and a tap
  i64 vectors, padded;  // of lanes; lanes of whole vectors
  i64 panels, parts;    // of a group, and runs of them that are tasks
  i64 set, channels;    // panels that are filled together, channels that they see
  i64 area;             // numbers from one vector of a panel to the next
};

// Whole trailing axes, so that a tile's gradients are neighbours.
template <class T>
void lay_tile(const Desc& d, const Desc& layer, Cut& cut) {
  constexpr i64 vector = kLanes<T> * static_cast<i64>(sizeof(T));
  constexpr i64 most = kPanelBytes / (kVectors * vector);
  i64 room = most;
  cut.pixels = 1;
  for (int a = d.rank - 1; a >= 0; --a) {
    const i64 n = max_of(layer.out_size[a], 1);
    const i64 tile = ceil_div(n, ceil_div(n, max_of(room, 1)));
    cut.box.tile[a] = tile;
    cut.pixels *= tile;
    room = tile < n ? 0 : room / tile;
  }
  measure(layer, cut.box, kLanes<T>);
  const i64 together = cut.box.tiles == 1 ? max_of(most / cut.pixels, 1) : 1;
  const i64 sets = ceil_div(d.in_channels, together);
  cut.images = ceil_div(d.in_channels, sets);
  cut.jobs = sets * cut.box.tiles;
  cut.area = (cut.images * cut.pixels + 2) * kLanes<T>;  // vectors share no sets of the cache
}

// Each part reads all gradients, and each share has sums to add up: the least traffic of what
// makes tasks enough.
template <class T>
void share_out(const Desc& d, Cut& cut) {
  const double worth = work_of(d) / kTaskWork + 1.0;
  const i64 wanted = worth < kTasks ? static_cast<i64>(worth) : kTasks;
  const i64 sums = d.groups * d.out_channels * cut.padded;
  const i64 most = kShareBytes / (sums * static_cast<i64>(sizeof(T)));
  const double gradients = static_cast<double>(d.groups * d.out_channels * d.in_channels) *
                           static_cast<double>(taps_of(d));
  double least = -1.0;
  for (i64 s = 1; s == 1 || (s <= min_of(wanted, most) && 2 * s <= cut.jobs); s *= 2) {
    const i64 parts = min_of(ceil_div(wanted, s * d.groups), cut.panels);
    const i64 missing = max_of(wanted - s * parts * d.groups, 0);
    const double added = s > 1 ? 2.0 * static_cast<double>(s * sums) : 0.0;
    const double traffic = (static_cast<double>(parts) * gradients + added) *
                           static_cast<double>(wanted + 4 * missing);
    if (least >= 0.0 && traffic >= least) continue;
    least = traffic;
    cut.shares = s;
    cut.parts = parts;
  }
}

template <class T>
Cut cut_for(const Desc& d, const Desc& layer) {
  Cut cut{};
  lay_tile<T>(d, layer, cut);
  cut.taps = taps_of(layer);
  cut.width = d.batch * cut.taps;
  cut.vectors = ceil_div(cut.width, kLanes<T>);
  cut.padded = cut.vectors * kLanes<T>;
  cut.panels = ceil_div(cut.vectors, kVectors);
  share_out<T>(d, cut);
  const i64 panel = kVectors * cut.area * static_cast<i64>(sizeof(T));
  cut.set = min_of(max_of(kSetBytes / panel, 1), ceil_div(cut.panels, cut.parts));
  const i64 lanes = min_of(cut.set * kVectors, cut.vectors) * kLanes<T>;
  cut.channels = min_of((lanes + cut.taps - 2) / cut.taps + 1, d.batch);
  return cut;
}

}  // namespace
}  // namespace multiconv::MC_TARGET
