// What this machine can do, measured in some hundredths of a second: the scale of predicted costs.
#pragma once

#include "base/desc.hpp"

namespace multiconv {

struct Target;

struct MachineProfile {
  double flops32, flops64;       // operations a second of one core, two a multiply-add
  double mixed32;                // the same where every second one is an addition alone
  double bandwidth, bandwidth1;  // bytes a second (read plus written) of a copy in memory, by all
                                 // threads together and by one
  double cache_bandwidth, cache_bandwidth1;  // the same within the second-level caches
  double wake;         // seconds until all threads are at work, just after other work
  double wake_asleep;  // the same after a rest
  i64 cache;           // bytes of the second-level cache of one core
  int lanes;           // float32 values of one vector
};

// Needs 64 MiB of memory for its duration. Throws std::bad_alloc.
MachineProfile measure_machine(const Target& target);

}  // namespace multiconv
