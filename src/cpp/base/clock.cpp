#include "base/clock.hpp"

#include <chrono>

namespace multiconv {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace multiconv
