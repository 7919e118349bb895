#include "base/recycler.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace multiconv {
namespace {

constexpr std::size_t kHuge = 2 << 20;  // a huge page
constexpr std::size_t kBlocks = 256;    // kept at most
constexpr std::size_t kAtFirst = std::size_t{256} << 20;

// Sizes that are alike share blocks: steps of a 32nd.
std::size_t rounded(std::size_t bytes) {
  if (bytes < kRecycled || bytes > SIZE_MAX / 4) return bytes;
  const std::size_t step = std::max(std::bit_floor(bytes) / 32, std::size_t{64});
  return (bytes + step - 1) / step * step;
}

void* from_system(std::size_t bytes) {
  const std::size_t unit = bytes >= kHuge ? kHuge : 64;
  if (bytes > SIZE_MAX - unit) return nullptr;
  void* data = std::aligned_alloc(unit, (std::max<std::size_t>(bytes, 1) + unit - 1) / unit * unit);
#ifdef MADV_HUGEPAGE
  if (data && bytes >= kHuge) madvise(data, bytes / kHuge * kHuge, MADV_HUGEPAGE);
#endif
  return data;
}

// The system may have the pages whenever it is short of memory; until then they stay.
void lend_to_system(void* data, std::size_t bytes) {
#ifdef MADV_FREE
  if (bytes >= kHuge) madvise(data, bytes / kHuge * kHuge, MADV_FREE);
#else
  (void)data, (void)bytes;
#endif
}

struct Block {
  void* data;
  std::size_t bytes;
  bool lent;
};

// The oldest block first. Nobody waits: who finds the shelf taken, by another thread or by one that
// a fork left behind, goes to the system.
class Shelf {
 public:
  void* take(std::size_t bytes) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return nullptr;
    for (std::size_t i = count_; i-- > 0;)
      if (blocks_[i].bytes == bytes) {
        void* data = blocks_[i].data;
        remove(i);
        return data;
      }
    return nullptr;
  }

  bool give(void* data, std::size_t bytes) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || bytes > limit_) return false;
    while (count_ == kBlocks || held_ + bytes > limit_) drop_oldest();
    blocks_[count_++] = {data, bytes, false};
    held_ += bytes;
    lend_older();
    return true;
  }

  void limit(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    while (count_ > 0) drop_oldest();
    limit_ = bytes;
  }

  std::size_t held() const { return held_; }

 private:
  // All but the last half of the limit: lending what is soon taken again costs more than pages do.
  void lend_older() {
    std::size_t newer = 0;
    for (std::size_t i = count_; i-- > 0;) {
      newer += blocks_[i].bytes;
      if (blocks_[i].lent || newer <= limit_ / 2) continue;
      lend_to_system(blocks_[i].data, blocks_[i].bytes);
      blocks_[i].lent = true;
    }
  }

  void drop_oldest() {
    std::free(blocks_[0].data);
    remove(0);
  }

  void remove(std::size_t i) {
    held_ -= blocks_[i].bytes;
    std::copy(blocks_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
              blocks_.begin() + static_cast<std::ptrdiff_t>(count_),
              blocks_.begin() + static_cast<std::ptrdiff_t>(i));
    --count_;
  }

  std::mutex mutex_;
  std::array<Block, kBlocks> blocks_{};
  std::size_t count_ = 0, held_ = 0, limit_ = kAtFirst;
};

// Never destroyed: arrays may outlive every static.
Shelf& shelf() {
  static Shelf& found = *new Shelf;
  return found;
}

}  // namespace

void* take_memory(std::size_t bytes) noexcept {
  bytes = rounded(bytes);
  void* kept = bytes < kRecycled ? nullptr : shelf().take(bytes);
  if (!kept) kept = from_system(bytes);
  return kept;
}

void give_memory(void* data, std::size_t bytes) noexcept {
  if (!data) return;
  bytes = rounded(bytes);
  if (bytes >= kRecycled && shelf().give(data, bytes)) return;
  std::free(data);
}

void keep_memory(std::size_t bytes) noexcept { shelf().limit(bytes); }

std::size_t kept_memory() noexcept { return shelf().held(); }

}  // namespace multiconv
