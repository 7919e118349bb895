#include "python/samples.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <iterator>
#include <limits>
#include <stdexcept>

#include "base/thread_pool.hpp"
#include "python/buffer.hpp"

namespace nb = nanobind;

namespace multiconv {

namespace {
constexpr std::size_t kTogether = 5;  // arrays whose numbers are asked for at once
}

Samples::Samples(std::uintptr_t address, nb::handle places, std::size_t item)
    : first_(reinterpret_cast<const char*>(address)), item_(item) {
  const Buffer buffer(places, PyBUF_SIMPLE);
  if (buffer.view().itemsize != sizeof(i64))
    throw std::invalid_argument("places: 64-bit integers are needed");
  if (!std::has_single_bit(item) || item > 16)
    throw std::invalid_argument("item: numbers of 1, 2, 4, 8 or 16 bytes are needed");
  const auto* offset = static_cast<const i64*>(buffer.data());
  const i64 count = buffer.view().len / i64{sizeof(i64)}, step = static_cast<i64>(item);
  bool follow = true;
  for (i64 i = 0; i < count; ++i) {
    if (offset[i] % step != 0 || offset[i] / step > std::numeric_limits<std::uint32_t>::max())
      throw std::invalid_argument("places: too far from the array's first number, or between two");
    follow &= offset[i] == i * step;
    places_.push_back(static_cast<std::uint32_t>(offset[i] / step));
    numbers_.insert(numbers_.end(), first_ + offset[i], first_ + offset[i] + item);
  }
  if (follow) places_.clear();
}

namespace {

// Whether numbers of so many bytes are as they were.
template <std::size_t item>
bool match(const char* first, const std::vector<std::uint32_t>& places, const char* numbers) {
  for (const std::uint32_t place : places) {
    if (std::memcmp(first + place * item, numbers, item) != 0) return false;
    numbers += item;
  }
  return true;
}

}  // namespace

bool Samples::are_same() const {
  const char* numbers = numbers_.data();
  if (places_.empty()) return std::memcmp(first_, numbers, numbers_.size()) == 0;
  switch (item_) {
    case 1:
      return match<1>(first_, places_, numbers);
    case 2:
      return match<2>(first_, places_, numbers);
    case 4:
      return match<4>(first_, places_, numbers);
    case 8:
      return match<8>(first_, places_, numbers);
    default:
      return match<16>(first_, places_, numbers);
  }
}

bool are_same(const nb::list& samples) {
  std::vector<const Samples*> all;
  for (nb::handle one : samples) all.push_back(&nb::cast<const Samples&>(one));
  const i64 tasks = (std::ssize(all) + kTogether - 1) / kTogether;
  std::atomic<bool> same = true;
  ThreadPool::instance().parallel_for(
      tasks,
      [&](i64 task, int) {
        const std::size_t end = std::min(all.size(), std::size_t(task + 1) * kTogether);
        for (std::size_t i = std::size_t(task) * kTogether; i < end; ++i) all[i]->fetch();
        for (std::size_t i = std::size_t(task) * kTogether; i < end; ++i)
          if (!all[i]->are_same()) same = false;
      },
      tasks > 1);
  return same;
}

}  // namespace multiconv
