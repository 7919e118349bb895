// Memory of results: what one result gave back serves the next, so that its pages need not be found
// and cleared by the system again, which costs more than many a convolution.
#pragma once

#include <cstddef>

namespace multiconv {

// From this size on results are worth it.
inline constexpr std::size_t kRecycled = 128 << 10;

// 64-byte aligned memory of unspecified contents, or null.
void* take_memory(std::size_t bytes) noexcept;

// Takes back what take_memory() gave for that size; null is let pass.
void give_memory(void* data, std::size_t bytes) noexcept;

// Hands all that is kept to the system and keeps at most so many bytes from now on.
void keep_memory(std::size_t bytes) noexcept;

// Bytes kept for later results.
std::size_t kept_memory() noexcept;

}  // namespace multiconv
