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

  // Asks for all of them: they lie on as many lines of the cache.
  void fetch() const {
    for (const char* place : places_) __builtin_prefetch(place);
  }
  bool are_same() const;

 private:
  std::vector<const char*> places_;
  std::size_t item_;
  std::vector<char> numbers_;
};

// Whether all of these are as they were.
bool are_same(const nanobind::list& samples);

}  // namespace multiconv
