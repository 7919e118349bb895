// Numbers scattered over an array, kept to tell whether it has changed.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <vector>

namespace multiconv {

class Samples {
 public:
  // Of an array that outlives this, and the bytes from its first element to those of each number.
  Samples(std::uintptr_t address, nanobind::handle places, std::size_t item);

  // Asks for those that lie on lines of the cache of their own.
  void fetch() const {
    for (std::uint32_t place : places_) __builtin_prefetch(first_ + place * item_);
  }
  bool are_same() const;

 private:
  const char* first_;
  std::size_t item_;
  std::vector<std::uint32_t> places_;  // counted in numbers; none where they follow one another
  std::vector<char> numbers_;
};

// Whether all of these are as they were.
bool are_same(const nanobind::list& samples);

}  // namespace multiconv
