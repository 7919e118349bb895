#include "base/watch.hpp"

namespace multiconv {
namespace {

std::atomic<std::ptrdiff_t> taken, most;

}  // namespace

std::atomic<unsigned> watch_number{0};

void start_watch() {
  taken = most = 0;
  watch_number += watched() ? 2 : 1;
}

std::size_t end_watch() {
  if (watched()) ++watch_number;
  return static_cast<std::size_t>(most.load());
}

void watch_memory(std::ptrdiff_t bytes) {
  const std::ptrdiff_t now = taken += bytes;
  std::ptrdiff_t before = most;
  while (now > before && !most.compare_exchange_weak(before, now)) {
  }
}

}  // namespace multiconv
