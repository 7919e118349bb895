// How much memory runs really take beside their arrays, for tests that compare it with what is
// stated.
#pragma once

#include <atomic>
#include <cstddef>

namespace multiconv {

extern std::atomic<unsigned> watch_number;  // of the watch in progress; even while there is none

inline bool watched() { return watch_number.load(std::memory_order_relaxed) % 2 != 0; }

void start_watch();
std::size_t end_watch();  // the most bytes that were taken at a time since it started
void watch_memory(std::ptrdiff_t bytes);  // taken, or given back where negative

}  // namespace multiconv
