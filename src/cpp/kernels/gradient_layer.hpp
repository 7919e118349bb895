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

}  // namespace
}  // namespace multiconv::MC_TARGET
