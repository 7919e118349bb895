// The types that kernels compute in.
#pragma once

#include <cstdint>

#include "base/desc.hpp"

namespace multiconv::MC_TARGET {

// Calls f with a number of the type that is computed in, where that is real or an integer.
template <class F>
inline auto with_real(DType compute, F&& f) {
  switch (compute) {
    case DType::u32:
      return f(std::uint32_t{});
    case DType::u64:
      return f(std::uint64_t{});
    case DType::f32:
      return f(float{});
    default:
      return f(double{});
  }
}

}  // namespace multiconv::MC_TARGET
