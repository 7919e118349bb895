// Memory that results gave back serves later ones, within its limit, whoever asks.
#include "base/recycler.hpp"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/check.hpp"

using namespace multiconv;

namespace {

void small_memory_is_not_kept() {
  keep_memory(64 << 20);
  give_memory(take_memory(1000), 1000);
  CHECK(kept_memory() == 0);
  give_memory(nullptr, 1 << 20);
  CHECK(kept_memory() == 0);
}

void large_memory_comes_back() {
  keep_memory(64 << 20);
  const std::size_t sizes[] = {kRecycled, 300001, 3 << 20, (5 << 20) + 17};
  for (const std::size_t bytes : sizes) {
    void* first = take_memory(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
    std::memset(first, 1, bytes);
    give_memory(first, bytes);
    CHECK(kept_memory() >= bytes);
    void* second = take_memory(bytes);
    CHECK(second == first);
    CHECK(kept_memory() == 0);
    give_memory(second, bytes);
    keep_memory(64 << 20);
    CHECK(kept_memory() == 0);
  }
}

void the_limit_holds() {
  keep_memory(8 << 20);
  std::vector<void*> blocks;
  for (int i = 0; i < 5; ++i) blocks.push_back(take_memory(3 << 20));
  for (void* block : blocks) give_memory(block, 3 << 20);
  CHECK(kept_memory() <= 8 << 20);
  CHECK(kept_memory() >= 3 << 20);
  give_memory(take_memory(9 << 20), 9 << 20);
  CHECK(kept_memory() <= 8 << 20);
  keep_memory(0);
  give_memory(take_memory(1 << 20), 1 << 20);
  CHECK(kept_memory() == 0);
}

void what_cannot_be_had_is_null() {
  CHECK(take_memory(SIZE_MAX) == nullptr);
  CHECK(take_memory(SIZE_MAX / 2) == nullptr);
}

void threads_share_it() {
  keep_memory(64 << 20);
  std::atomic<bool> wrong{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t, &wrong] {
      for (int i = 0; i < 200; ++i) {
        const std::size_t bytes = kRecycled + static_cast<std::size_t>((i + t) % 5) * 100000;
        char* data = static_cast<char*>(take_memory(bytes));
        data[0] = data[bytes - 1] = static_cast<char>(t);
        if (data[0] != t || data[bytes - 1] != t) wrong = true;
        give_memory(data, bytes);
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(!wrong);
  CHECK(kept_memory() <= 64 << 20);
}

}  // namespace

int main() {
  small_memory_is_not_kept();
  large_memory_comes_back();
  the_limit_holds();
  what_cannot_be_had_is_null();
  threads_share_it();
  return test::check_result();
}
