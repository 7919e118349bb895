#include "base/scratch.hpp"

#include <cstdint>
#include <cstdlib>
#include <new>

#include "base/watch.hpp"

namespace multiconv {
namespace {

constexpr int kSlots = static_cast<int>(Slot::count);

struct Buffer {
  void* data = nullptr;
  std::size_t bytes = 0;

  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { release(); }

  void release() {
    std::free(data);
    data = nullptr;
    bytes = 0;
  }

  // To the size asked, no more: what kernels state as their scratch is what is taken.
  void grow(std::size_t wanted) {
    if (wanted > SIZE_MAX - kAlign) throw std::bad_alloc();
    wanted = (wanted + kAlign - 1) / kAlign * kAlign;
    release();  // first, so that old and new need not fit together
    data = std::aligned_alloc(kAlign, wanted);
    if (!data) throw std::bad_alloc();
    bytes = wanted;
  }
};

thread_local Buffer buffers[kSlots];

// What this thread asked of a slot since the watch began, not what it holds from earlier runs.
void watch_slot(int slot, std::size_t bytes) {
  thread_local unsigned number = 0;
  thread_local std::size_t asked[kSlots];
  if (const unsigned now = watch_number.load(); number != now) {
    number = now;
    for (std::size_t& most : asked) most = 0;
  }
  if (bytes <= asked[slot]) return;
  watch_memory(bytes - asked[slot]);
  asked[slot] = bytes;
}

}  // namespace

void* thread_scratch(Slot slot, std::size_t bytes) {
  Buffer& buffer = buffers[static_cast<int>(slot)];
  if (watched()) watch_slot(static_cast<int>(slot), bytes);
  if (!buffer.data || buffer.bytes < bytes) buffer.grow(bytes ? bytes : 1);
  return buffer.data;
}

void trim_scratch(std::size_t keep) {
  for (Buffer& buffer : buffers)
    if (buffer.bytes > keep) buffer.release();
}

}  // namespace multiconv
