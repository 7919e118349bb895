// The multiply-add rate of one core, and what additions beside them cost: as many independent
// chains as hide the latency, all in registers.
#include "base/clock.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {
namespace {

constexpr int kChains = MC_REGISTERS * 3 / 4;
constexpr i64 kRounds = 32768;

// The compiler can neither know the value nor move it into memory.
template <class V>
MC_INLINE void hide(V& value) {
#if defined(__x86_64__)
  asm volatile("" : "+v"(value));
#elif defined(__aarch64__)
  asm volatile("" : "+w"(value));
#else
  asm volatile("" : "+m"(value));
#endif
}

// Two for each step of a chain. Every second chain may add alone; the others tend to
// term / (1 - factor): no overflow, no subnormals.
template <bool mixed, class T>
double flops_per_second() {
  Vec<T> factor = splat(T(0.5)), term = splat(T(1)), chain[kChains];
  hide(factor);
  hide(term);
#pragma GCC unroll 24
  for (int c = 0; c < kChains; ++c) hide(chain[c] = splat(T(c)));
  const double start = now();
  for (i64 round = 0; round < kRounds; ++round)
#pragma GCC unroll 24
    for (int c = 0; c < kChains; ++c)
      chain[c] = mixed && c % 2 == 1 ? chain[c] + term : chain[c] * factor + term;
#pragma GCC unroll 24
  for (int c = 0; c < kChains; ++c) hide(chain[c]);
  return 2.0 * kRounds * kChains * kLanes<T> / (now() - start);
}

}  // namespace

double peak_flops(bool f64) {
  return f64 ? flops_per_second<false, double>() : flops_per_second<false, float>();
}

double mixed_flops() { return flops_per_second<true, float>(); }

}  // namespace multiconv::MC_TARGET
