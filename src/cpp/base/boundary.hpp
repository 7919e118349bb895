// Where an index outside an axis reads from. Forced inline: this header is compiled for every
// instruction set, and no copy of it may be shared between them.
#pragma once

#include "base/desc.hpp"

#define MC_INLINE static inline __attribute__((always_inline))

namespace multiconv {

inline constexpr i64 kOutside = -1;  // the constant boundary value

// The element that position i of an axis of n > 0 elements reads, or kOutside.
MC_INLINE i64 resolve_index(i64 i, i64 n, Boundary mode) {
  if (i >= 0 && i < n) return i;
  switch (mode) {
    case Boundary::constant:
      return kOutside;
    case Boundary::edge:
      return i < 0 ? 0 : n - 1;
    case Boundary::wrap: {
      const i64 r = i % n;
      return r < 0 ? r + n : r;
    }
    case Boundary::symmetric: {
      i64 r = i % (2 * n);
      if (r < 0) r += 2 * n;
      return r < n ? r : 2 * n - 1 - r;
    }
    case Boundary::reflect: {
      if (n == 1) return 0;
      const i64 period = 2 * n - 2;
      i64 r = i % period;
      if (r < 0) r += period;
      return r < n ? r : period - r;
    }
  }
  return kOutside;
}

}  // namespace multiconv
