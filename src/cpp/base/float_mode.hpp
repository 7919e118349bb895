// The floating-point control state of a thread: rounding, flushing of subnormals, masked traps.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace multiconv {

#if defined(__x86_64__) || defined(_M_X64)
using FloatMode = unsigned;
inline FloatMode float_mode() { return _mm_getcsr(); }
inline void set_float_mode(const FloatMode& mode) { _mm_setcsr(mode); }
#else
using FloatMode = std::fenv_t;
inline FloatMode float_mode() {
  FloatMode mode;
  std::fegetenv(&mode);
  return mode;
}
inline void set_float_mode(const FloatMode& mode) { std::fesetenv(&mode); }
#endif

}  // namespace multiconv
