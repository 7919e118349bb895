#include "python/samples.hpp"

#include <cstring>
#include <stdexcept>

#include "python/buffer.hpp"

namespace nb = nanobind;

namespace multiconv {

Samples::Samples(std::uintptr_t address, nb::handle places, std::size_t item) : item_(item) {
  const Buffer buffer(places, PyBUF_SIMPLE);
  if (buffer.view().itemsize != sizeof(i64))
    throw std::invalid_argument("places: 64-bit integers are needed");
  const auto* offset = static_cast<const i64*>(buffer.data());
  for (i64 i = 0; i < buffer.view().len / i64{sizeof(i64)}; ++i) {
    const char* at = reinterpret_cast<const char*>(address) + offset[i];
    places_.push_back(at);
    numbers_.insert(numbers_.end(), at, at + item);
  }
}

bool Samples::are_same() const {
  const char* number = numbers_.data();
  for (const char* place : places_) {
    if (std::memcmp(place, number, item_) != 0) return false;
    number += item_;
  }
  return true;
}

bool are_same(const nb::list& samples) {
  for (nb::handle one : samples) nb::cast<const Samples&>(one).fetch();
  for (nb::handle one : samples)
    if (!nb::cast<const Samples&>(one).are_same()) return false;
  return true;
}

}  // namespace multiconv
