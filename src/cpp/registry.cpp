#include "registry.hpp"

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "base/cpu.hpp"

// Best last; the order of the two lines matters.
// clang-format off
#ifdef MULTICONV_HAS_SCALAR
#include "targets/scalar.hpp"
#include "targets/entry.inc"
#endif
#ifdef MULTICONV_HAS_X86_64_V2
#include "targets/x86_64_v2.hpp"
#include "targets/entry.inc"
#endif
#ifdef MULTICONV_HAS_AVX2
#include "targets/avx2.hpp"
#include "targets/entry.inc"
#endif
#ifdef MULTICONV_HAS_AVX512
#include "targets/avx512.hpp"
#include "targets/entry.inc"
#endif
#ifdef MULTICONV_HAS_NEON
#include "targets/neon.hpp"
#include "targets/entry.inc"
#endif
// clang-format on

namespace multiconv {
namespace {

std::vector<Target> list_targets() {
  return {
#ifdef MULTICONV_HAS_SCALAR
      scalar::entry(),
#endif
#ifdef MULTICONV_HAS_X86_64_V2
      x86_64_v2::entry(),
#endif
#ifdef MULTICONV_HAS_AVX2
      avx2::entry(),
#endif
#ifdef MULTICONV_HAS_AVX512
      avx512::entry(),
#endif
#ifdef MULTICONV_HAS_NEON
      neon::entry(),
#endif
  };
}

const Target* find_supported(const char* name) {
  for (const Target& target : targets())
    if (target.supported && std::strcmp(target.name, name) == 0) return &target;
  return nullptr;
}

const Target& choose_target() {
  const char* forced = std::getenv("MULTICONV_FORCE_ISA");
  const Target* best = nullptr;
  std::string names;
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    best = &target;
    names += (names.empty() ? "" : ", ") + std::string(target.name);
  }
  if (!forced || !*forced) return *best;
  if (const Target* target = find_supported(forced)) return *target;
  throw std::invalid_argument("MULTICONV_FORCE_ISA: '" + std::string(forced) +
                              "' is no instruction set that this CPU runs, allowed are " + names);
}

}  // namespace

const std::vector<Target>& targets() {
  static const std::vector<Target> list = list_targets();
  return list;
}

const Target& active_target() {
  static const Target& target = choose_target();
  return target;
}

const Target* find_target(const char* name) {
  return name && *name ? find_supported(name) : &active_target();
}

const Kernel* find_kernel(const char* name, const char* target) {
  const Target* found = find_target(target);
  if (!found) return nullptr;
  for (int i = 0; i < found->count; ++i)
    if (std::strcmp(found->kernels[i].name, name) == 0) return &found->kernels[i];
  return nullptr;
}

}  // namespace multiconv
