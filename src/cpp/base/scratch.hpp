// Aligned scratch memory that a thread keeps between calls, so that hot calls never allocate.
#pragma once

#include <cstddef>

namespace multiconv {

inline constexpr std::size_t kAlign = 64;

// At least `bytes` of 64-byte aligned memory of the calling thread, valid until its next call with
// the same slot. Contents are unspecified. Throws std::bad_alloc.
enum class Slot { tile, line, spectrum, table, kernel, rows, count };
void* thread_scratch(Slot slot, std::size_t bytes);

// Frees what the calling thread holds beyond `keep` bytes a slot.
void trim_scratch(std::size_t keep);

}  // namespace multiconv
