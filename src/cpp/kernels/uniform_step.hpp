// Areas whose places follow each other at one distance: lines, however many axes they have.
#pragma once

#include "base/desc.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

// Elements from one place of an area of size[] to the next, the same for all; else 0.
MC_INLINE i64 uniform_step(const Desc& d, const i64* size, const i64* strides) {
  i64 step = 0, expected = 0;
  for (int a = d.rank - 1; a >= 0; --a) {
    if (size[a] == 1) continue;
    if (step == 0) step = expected = strides[a];
    if (strides[a] != expected) return 0;
    expected *= size[a];
  }
  return step == 0 ? 1 : step;
}

}  // namespace
}  // namespace multiconv::MC_TARGET
