#include "base/cpu.hpp"

#include <unistd.h>

#include <cstring>
#include <fstream>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#ifdef __linux__
#include <sys/syscall.h>
#endif
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

namespace multiconv {
namespace {

#if defined(__x86_64__)

struct Leaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(unsigned leaf) {
  Leaf r;
  __get_cpuid(leaf, &r.eax, &r.ebx, &r.ecx, &r.edx);  // zeros where the CPU has no such leaf
  return r;
}

// The micro-architecture levels of the x86-64 psABI. The built-ins also ask whether the operating
// system keeps the wide registers; bits that older compilers cannot name are read by hand.
bool runs_v2() {
  const bool cx16 = cpuid(1).ecx >> 13 & 1, lahf = cpuid(0x80000001).ecx & 1;
  return cx16 && lahf && __builtin_cpu_supports("sse3") && __builtin_cpu_supports("ssse3") &&
         __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2") &&
         __builtin_cpu_supports("popcnt");
}

bool runs_v3() {
  const unsigned features = cpuid(1).ecx;
  const bool movbe = features >> 22 & 1, osxsave = features >> 27 & 1, f16c = features >> 29 & 1;
  const bool lzcnt = cpuid(0x80000001).ecx >> 5 & 1;
  return runs_v2() && movbe && osxsave && f16c && lzcnt && __builtin_cpu_supports("avx") &&
         __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

bool runs_v4() {
  return runs_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

#endif

#ifdef __APPLE__
i64 apple_number(const char* name) {
  i64 value = 0;
  std::size_t bytes = sizeof value;
  return sysctlbyname(name, &value, &bytes, nullptr, 0) == 0 ? value : 0;
}
#endif

#ifdef __linux__
// The data or unified cache of that level, as sysfs describes it; 0 where it does not.
i64 sysfs_cache(int level) {
  for (int index = 0; index < 8; ++index) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    int found = 0;
    std::string type;
    i64 size = 0;
    char unit = 0;
    std::ifstream(folder + "level") >> found;
    std::ifstream(folder + "type") >> type;
    std::ifstream(folder + "size") >> size >> unit;
    if (found == level && type != "Instruction")
      return unit == 'K' ? size << 10 : unit == 'M' ? size << 20 : size;
  }
  return 0;
}
#endif

i64 cache_size(int level) {
#if defined(__APPLE__)
  // The fast cores' caches where cores differ.
  const char* names[][2] = {{"hw.perflevel0.l1dcachesize", "hw.l1dcachesize"},
                            {"hw.perflevel0.l2cachesize", "hw.l2cachesize"},
                            {"hw.perflevel0.l3cachesize", "hw.l3cachesize"}};
  const i64 fast = apple_number(names[level - 1][0]);
  return fast > 0 ? fast : apple_number(names[level - 1][1]);
#elif defined(__linux__)
#ifdef _SC_LEVEL1_DCACHE_SIZE
  const int names[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
  const i64 size = sysconf(names[level - 1]);
  if (size > 0) return size;
#endif
  return sysfs_cache(level);
#else
  static_cast<void>(level);
  return 0;
#endif
}

i64 known_or(i64 size, i64 typical) { return size > 0 ? size : typical; }

}  // namespace

bool cpu_runs(const char* target) {
  const auto is = [target](const char* name) { return std::strcmp(target, name) == 0; };
  if (is("scalar")) return true;
#if defined(__x86_64__)
  __builtin_cpu_init();  // this may run before main
  if (is("x86_64_v2")) return runs_v2();
  if (is("avx2")) return runs_v3();
  if (is("avx512")) return runs_v4();
#elif defined(__aarch64__)
  if (is("neon")) return true;
#endif
  return false;
}

bool cpu_multiplies_bytes() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return runs_v4() && __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

bool cpu_multiplies_matrices() {
#if defined(__x86_64__) && defined(__linux__)
  static const bool granted = [] {
    __builtin_cpu_init();
    constexpr unsigned needed = 1u << 22 | 1u << 24 | 1u << 25;  // AMX-BF16, -TILE, -INT8
    Leaf r;
    if (!__get_cpuid_count(7, 0, &r.eax, &r.ebx, &r.ecx, &r.edx)) return false;
    if ((r.edx & needed) != needed || !runs_v4()) return false;
    constexpr long kRequestPermission = 0x1023, kTileData = 18;
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }();
  return granted;
#else
  return false;
#endif
}

CacheSizes cache_sizes() {
  return {known_or(cache_size(1), 32 << 10), known_or(cache_size(2), 512 << 10),
          known_or(cache_size(3), 8 << 20)};
}

std::string cpu_name() {
  std::string name;
#if defined(__x86_64__)
  if (__get_cpuid_max(0x80000000, nullptr) >= 0x80000004)
    for (unsigned leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
      const Leaf r = cpuid(leaf);
      char part[16];
      std::memcpy(part, &r, sizeof part);
      name.append(part, sizeof part);
    }
#elif defined(__APPLE__)
  char brand[128] = {};
  std::size_t bytes = sizeof brand - 1;
  if (sysctlbyname("machdep.cpu.brand_string", brand, &bytes, nullptr, 0) == 0) name = brand;
#elif defined(__linux__)
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; name.empty() && std::getline(file, line);)
    if (line.starts_with("model name") || line.starts_with("CPU part"))
      name = line.substr(line.find(':') + 1);
#endif
  name = name.c_str();  // up to the first zero byte
  const std::size_t first = name.find_first_not_of(" \t"), last = name.find_last_not_of(" \t");
  return first == std::string::npos ? "" : name.substr(first, last - first + 1);
}

}  // namespace multiconv
