// Numbers scattered over an array, kept to tell whether it has changed.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <vector>

namespace multiconv {

class Samples {
 public:
  // Of an array that outlives this, and the bytes from its first element to those of each number.
  // One in `turns` of them is looked at each time, all in as many.
  Samples(std::uintptr_t address, nanobind::handle places, std::size_t item, std::size_t turns);

  // Asks for those whose turn it is: they lie on as many lines of the cache.
  void fetch() const {
    for (std::size_t i = turn_; i < places_.size(); i += turns_) __builtin_prefetch(places_[i]);
  }
  // Whether those are as they were; then it is the next ones' turn.
  bool are_same();

 private:
  std::vector<const char*> places_;
  std::size_t item_, turns_, turn_ = 0;
  std::vector<char> numbers_;
};

// Whether all of these are as they were.
bool are_same(const nanobind::list& samples);

}  // namespace multiconv
