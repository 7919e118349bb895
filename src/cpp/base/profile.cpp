#include "base/profile.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include "base/clock.hpp"
#include "base/cpu.hpp"
#include "base/thread_pool.hpp"
#include "registry.hpp"

namespace multiconv {
namespace {

// Copies are made of pieces, lest memcpy bypass the cache, as kernels do not.
constexpr i64 kPiece = 64 << 10;
constexpr i64 kBytes = 32 << 20;  // of the source, and as many of the copy

template <class F>
double best_rate(F&& f) {
  double best = 0;
  for (int i = 0; i < 8; ++i) best = std::max(best, f());
  return best;
}

// The least time of `rounds` calls of f.
template <class F>
double best_time(int rounds, F&& f) {
  double best = 1e9;
  for (int i = 0; i < rounds; ++i) {
    const double start = now();
    f();
    best = std::min(best, now() - start);
  }
  return std::max(best, 1e-9);
}

class Copier {
 public:
  Copier() : from_(new char[kBytes]), to_(new char[kBytes]) {
    each_piece(kBytes / kPiece, true, [this](i64 piece) {
      std::memset(from_.get() + piece * kPiece, 1, kPiece);
      std::memset(to_.get() + piece * kPiece, 0, kPiece);
    });
  }

  double memory_bandwidth(bool parallel) {
    const double seconds = best_time(2, [&] {
      each_piece(kBytes / kPiece, parallel, [this](i64 piece) {
        std::memcpy(to_.get() + piece * kPiece, from_.get() + piece * kPiece, kPiece);
      });
    });
    return 2.0 * kBytes / seconds;
  }

  // Every thread copies within a part of the buffers that fills half its cache.
  double cache_bandwidth(bool parallel, i64 cache) {
    const i64 threads = parallel ? ThreadPool::instance().num_threads() : 1;
    const i64 part = std::clamp(cache / 4, kPiece, kBytes) / kPiece * kPiece;
    const i64 parts = std::min(threads, kBytes / part);
    const i64 repeats = std::max<i64>(1, (8 << 20) / part);
    const double seconds = best_time(4, [&] {
      each_piece(parts, parallel, [&](i64 index) {
        for (i64 at = 0; at < repeats * part; at += kPiece) {
          const i64 offset = index * part + at % part;
          std::memcpy(to_.get() + offset, from_.get() + offset, kPiece);
        }
      });
    });
    return 2.0 * static_cast<double>(parts * repeats * part) / seconds;
  }

 private:
  template <class F>
  static void each_piece(i64 pieces, bool parallel, F&& f) {
    ThreadPool::instance().parallel_for(pieces, [&](i64 piece, int) { f(piece); }, parallel);
  }

  std::unique_ptr<char[]> from_, to_;
};

// Seconds until every thread is at work, the least of `rounds` calls that begin after a pause. A
// thread that does not come, as the caller may finish alone, is given up after a moment.
double hand_over_time(int rounds, std::chrono::microseconds pause) {
  ThreadPool& pool = ThreadPool::instance();
  const int threads = pool.num_threads();
  double best = 1;
  for (int i = 0; i < rounds; ++i) {
    std::this_thread::sleep_for(pause);
    std::atomic<int> arrived{0};
    const double start = now();
    pool.parallel_for(threads, [&](i64, int) {
      arrived.fetch_add(1);
      while (arrived.load() < threads && now() - start < 200e-6) {
      }
    });
    best = std::min(best, now() - start);
  }
  return std::max(best, 1e-9);
}

}  // namespace

MachineProfile measure_machine(const Target& target) {
  MachineProfile profile{};
  profile.cache = cache_sizes().l2;
  profile.lanes = std::max(1, target.vector_bytes / static_cast<int>(sizeof(float)));
  profile.flops32 = best_rate([&] { return target.peak_flops(false); });
  profile.flops64 = best_rate([&] { return target.peak_flops(true); });
  profile.mixed32 = best_rate(target.mixed_flops);
  // First the rests, in which threads just made find CPUs of their own.
  profile.wake_asleep = hand_over_time(8, std::chrono::microseconds(300));
  profile.wake = hand_over_time(32, std::chrono::microseconds(0));
  Copier copier;
  profile.bandwidth = copier.memory_bandwidth(true);
  profile.bandwidth1 = copier.memory_bandwidth(false);
  profile.cache_bandwidth = copier.cache_bandwidth(true, profile.cache);
  profile.cache_bandwidth1 = copier.cache_bandwidth(false, profile.cache);
  return profile;
}

}  // namespace multiconv
