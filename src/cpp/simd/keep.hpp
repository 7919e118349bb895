// Values that the compiler is to keep in registers: short of them, it would rather load one again
// for every use, or keep sums of addresses instead of the addresses.
#pragma once

#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {

template <class T>
MC_INLINE void keep(const T*& p) {
  asm("" : "+r"(p));
}

template <class T>
MC_INLINE void keep(Vec<T>& v) {
  if constexpr (kLanes<T> > 1) {
#if defined(__x86_64__)
    asm("" : "+v"(v));
#elif defined(__aarch64__)
    asm("" : "+w"(v));
#endif
  }
}

}  // namespace multiconv::MC_TARGET
