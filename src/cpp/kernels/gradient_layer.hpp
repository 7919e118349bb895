// Weight gradients seen the other way round: as sums over the pixels of a layer.
#pragma once

#include "base/desc.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

// The layer whose weight gradient this is.
MC_INLINE Desc layer_of(const Desc& d) {
  Desc layer = d;
  for (int a = 0; a < d.rank; ++a) {
    layer.out_size[a] = d.kernel[a];
    layer.kernel[a] = d.out_size[a];
    layer.stride[a] = d.dilation[a];
    layer.dilation[a] = d.stride[a];
  }
  return layer;
}

// Distance between neighbouring outputs where all have the same, else 0.
MC_INLINE i64 even_step(const Desc& d, const i64* strides) {
  i64 step = 0, along = 1;
  for (int a = d.rank - 1; a >= 0; --a) {
    if (d.out_size[a] == 1) continue;
    if (step == 0)
      step = strides[a];
    else if (strides[a] != step * along)
      return 0;
    along *= d.out_size[a];
  }
  return step == 0 ? 1 : step;
}

}  // namespace
}  // namespace multiconv::MC_TARGET
