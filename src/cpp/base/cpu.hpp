// What this CPU is: instruction sets, caches, name.
#pragma once

#include <string>

#include "base/desc.hpp"

namespace multiconv {

// Whether the CPU and the operating system run code compiled for that target, by its name in
// targets/. False for an unknown name.
bool cpu_runs(const char* target);

// Whether its wide vectors multiply and add four bytes at once (AVX512-VNNI).
bool cpu_multiplies_bytes();

// Whether it multiplies matrices of bytes and of bfloat16 in registers (AMX), and the operating
// system lets this process do so; asks it at the first call.
bool cpu_multiplies_matrices();

struct CacheSizes {
  i64 l1d, l2, l3;  // bytes of one cache each; l3 is shared by several cores
};

// As the system reports them, else typical sizes.
CacheSizes cache_sizes();

// The marketing name, such as "AMD EPYC 9654 96-Core Processor"; empty where unknown.
std::string cpu_name();

}  // namespace multiconv
