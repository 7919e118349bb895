// The machine profile: every figure is possible, and they agree with each other.
#include <initializer_list>

#include "base/clock.hpp"
#include "base/profile.hpp"
#include "base/thread_pool.hpp"
#include "registry.hpp"
#include "tests/check.hpp"

using namespace multiconv;

int main() {
  for (const Target& target : targets()) {
    if (!target.supported) continue;
    const double start = now();
    const MachineProfile p = measure_machine(target);
    std::printf(
        "%-9s %7.1f %7.1f GFLOP/s, %7.1f mixed, copy %6.1f %6.1f GB/s, in cache %6.1f %6.1f GB/s, "
        "wake %.2f "
        "%.2f us, "
        "measured in %.1f ms\n",
        target.name, p.flops32 / 1e9, p.flops64 / 1e9, p.mixed32 / 1e9, p.bandwidth / 1e9,
        p.bandwidth1 / 1e9, p.cache_bandwidth / 1e9, p.cache_bandwidth1 / 1e9, p.wake * 1e6,
        p.wake_asleep * 1e6, (now() - start) * 1e3);
    for (const double rate : {p.flops32, p.flops64, p.mixed32, p.bandwidth, p.bandwidth1,
                              p.cache_bandwidth, p.cache_bandwidth1})
      CHECK(rate > 1e6 && rate < 1e15);
    CHECK(p.wake > 0 && p.wake < 1);
    CHECK(p.wake_asleep > 0 && p.wake_asleep < 1);
    CHECK(p.cache > 0);
    CHECK(p.lanes == (target.vector_bytes ? target.vector_bytes / 4 : 1));
  }
  return test::check_result();
}
