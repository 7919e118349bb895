// bfloat16: the upper half of a float.
#pragma once

#include <cstdint>

#include "base/boundary.hpp"

namespace multiconv::MC_TARGET {

struct BrainFloat {
  std::uint16_t bits;

  BrainFloat() = default;
  // The nearest one, to even; NaN stays NaN.
  static constexpr std::uint32_t kQuiet = 0x400000, kHalf = 0x7FFF;
  explicit BrainFloat(float x) {
    const auto all = __builtin_bit_cast(std::uint32_t, x);
    const std::uint32_t near = x == x ? all + kHalf + (all >> 16 & 1) : all | kQuiet;
    bits = static_cast<std::uint16_t>(near >> 16);
  }
  explicit operator float() const {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16);
  }
};

}  // namespace multiconv::MC_TARGET
