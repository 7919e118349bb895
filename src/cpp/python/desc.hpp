// A problem in words -> Desc.
#pragma once

#include <nanobind/nanobind.h>

#include "base/desc.hpp"

namespace multiconv {

// Throws std::invalid_argument where a word or a size is not allowed.
Desc make_desc(const nanobind::dict& words);

}  // namespace multiconv
