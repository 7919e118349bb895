// Lists and finds the kernels compiled into this library.
#pragma once

#include <vector>

#include "base/kernel.hpp"

namespace multiconv {

struct Target {
  const char* name;
  bool supported;  // by this CPU
  const Kernel* kernels;
  int count;
  int vector_bytes;                // 0: one value at a time
  double (*peak_flops)(bool f64);  // measures operations a second of this thread
  double (*mixed_flops)();         // in float32, every second one an addition counted as two
};

// Best last.
const std::vector<Target>& targets();

// The target in force: MULTICONV_FORCE_ISA as it was at the first call, else the best that this CPU
// runs. Throws std::invalid_argument where the variable names none that can run.
const Target& active_target();

// Null where there is no such target or this CPU does not run it. A null or empty name means the
// active one.
const Target* find_target(const char* name);

// Null where there is no such target (that this CPU runs) or kernel. A null or empty target means
// the active one.
const Kernel* find_kernel(const char* name, const char* target);

}  // namespace multiconv
