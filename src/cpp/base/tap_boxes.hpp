// Kernels as boxes of equal taps that do not overlap.
#pragma once

#include <cstddef>

#include "base/desc.hpp"

namespace multiconv {

struct TapBox {
  i64 begin[kMaxRank], size[kMaxRank];
};

inline constexpr i64 kMostTapBoxes = 32;

// Cuts taps of `item` bytes, strides in bytes, into boxes. Returns how many there are, or more than
// kMostTapBoxes where it gave up, which for a kernel of many values is soon.
i64 cut_into_boxes(const void* taps, int rank, const i64* size, const i64* strides,
                   std::size_t item, TapBox* boxes);

}  // namespace multiconv
