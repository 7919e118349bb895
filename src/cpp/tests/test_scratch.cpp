// Scratch memory: aligned, kept, private to its thread and slot, refused in order.
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <new>
#include <thread>

#include "base/scratch.hpp"
#include "tests/check.hpp"

using namespace multiconv;

namespace {

constexpr Slot kSlots[] = {Slot::tile, Slot::line, Slot::spectrum, Slot::table, Slot::kernel};

bool holds(const void* data, int value, std::size_t bytes) {
  const auto* p = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < bytes; ++i)
    if (p[i] != value) return false;
  return true;
}

void test_alignment_and_size() {
  for (const std::size_t bytes : {0, 1, 63, 64, 65, 1000, 4097, 300000})
    for (const Slot slot : kSlots) {
      void* data = thread_scratch(slot, bytes);
      CHECK(data != nullptr);
      CHECK(reinterpret_cast<std::uintptr_t>(data) % kAlign == 0);
      std::memset(data, 1, bytes);  // all of it can be written
    }
}

void test_kept() {
  void* data = thread_scratch(Slot::tile, 5000);
  CHECK(thread_scratch(Slot::tile, 5000) == data);
  CHECK(thread_scratch(Slot::tile, 17) == data);
}

void test_slots_apart() {
  constexpr std::size_t bytes = 3000;
  void* data[4];
  for (int i = 0; i < 4; ++i) std::memset(data[i] = thread_scratch(kSlots[i], bytes), i + 1, bytes);
  for (int i = 0; i < 4; ++i) CHECK(holds(data[i], i + 1, bytes));
}

void test_threads_apart() {
  constexpr std::size_t bytes = 3000;
  void* mine = thread_scratch(Slot::line, bytes);
  std::memset(mine, 7, bytes);
  void* other = nullptr;
  std::thread([&] {
    other = thread_scratch(Slot::line, bytes);
    std::memset(other, 8, bytes);
  }).join();
  CHECK(other != mine);
  CHECK(holds(mine, 7, bytes));
}

void test_refusal() {
  CHECK_THROWS(thread_scratch(Slot::table, SIZE_MAX), std::bad_alloc);
  CHECK_THROWS(thread_scratch(Slot::table, SIZE_MAX / 2), std::bad_alloc);
  void* data = thread_scratch(Slot::table, 100);  // the slot still serves
  CHECK(data != nullptr);
  std::memset(data, 1, 100);
}

void test_trim() {
  void* small = thread_scratch(Slot::line, 100000);
  thread_scratch(Slot::tile, 9 << 20);
  trim_scratch(1 << 20);
  CHECK(thread_scratch(Slot::line, 1) == small);
  std::memset(thread_scratch(Slot::tile, 2 << 20), 1, 2 << 20);
  trim_scratch(0);
  std::memset(thread_scratch(Slot::line, 100), 1, 100);
}

}  // namespace

int main() {
  test_alignment_and_size();
  test_kept();
  test_slots_apart();
  test_threads_apart();
  test_refusal();
  test_trim();
  return test::check_result();
}
