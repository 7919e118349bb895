// How much scratch memory runs really take, for tests that compare it with what is stated.
#pragma once

#include <atomic>
#include <cstddef>

namespace multiconv {

extern std::atomic<unsigned> watch_number;  // of the watch in progress; even while there is none

inline bool watched() { return watch_number.load(std::memory_order_relaxed) % 2 != 0; }

void start_watch();
std::size_t end_watch();  // the bytes that all threads took since it started
void watch_memory(std::size_t bytes);

}  // namespace multiconv
