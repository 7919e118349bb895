// Random numbers, and images in every order of memory that tests draw from. They lie in blocks of
// their own size, so that a sanitizer sees any step outside.
#pragma once

#include <random>
#include <vector>

#include "base/kernel.hpp"

namespace multiconv::test {

inline std::mt19937 source(5);

inline i64 draw(i64 low, i64 high) { return std::uniform_int_distribution<i64>(low, high)(source); }

constexpr int kOrders = 3;  // channels last is one of them

// Images of three axes in an order of memory, perhaps backwards or with gaps.
template <class T>
struct Images {
  std::vector<T> memory;
  i64 strides[kMaxDims] = {}, origin = 0;

  Images(i64 batch, i64 groups, const i64* size, int order) {
    const i64 sizes[] = {batch, groups, 1, size[0], size[1], size[2]};
    const int orders[kOrders][6] = {{5, 4, 3, 2, 1, 0}, {3, 5, 4, 0, 2, 1}, {1, 5, 4, 3, 2, 0}};
    i64 step = draw(0, 3) ? 1 : 2;
    for (const int a : orders[order]) {
      const bool back = draw(0, 5) == 0;
      strides[a] = back ? -step : step;
      if (back) origin += step * (sizes[a] - 1);
      step *= sizes[a];
    }
    memory.resize(static_cast<std::size_t>(step));
    for (T& v : memory) v = static_cast<T>(draw(-90, 90));
  }

  void* first() { return memory.data() + origin; }

  T& at(i64 n, i64 g, i64 r, i64 c, i64 i) {
    return memory[static_cast<std::size_t>(origin + n * strides[0] + g * strides[1] +
                                           r * strides[3] + c * strides[4] + i * strides[5])];
  }
};

}  // namespace multiconv::test
