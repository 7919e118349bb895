// resolve_index() against a walk that goes one element at a time.
#include <initializer_list>

#include "base/boundary.hpp"
#include "tests/check.hpp"

using namespace multiconv;

namespace {

i64 walk(i64 i, i64 n, Boundary mode) {
  i64 at = 0;
  int step = i < 0 ? -1 : 1;
  for (i64 left = i < 0 ? -i : i; left > 0; --left) {
    const bool at_end = step > 0 ? at == n - 1 : at == 0;
    if (!at_end) {
      at += step;
      continue;
    }
    switch (mode) {
      case Boundary::constant:
        return kOutside;
      case Boundary::edge:
        return at;
      case Boundary::wrap:
        at = step > 0 ? 0 : n - 1;
        break;
      case Boundary::symmetric:  // the end comes twice
        step = -step;
        break;
      case Boundary::reflect:  // the end comes once
        step = -step;
        if (n > 1) at += step;
        break;
    }
  }
  return at;
}

}  // namespace

int main() {
  for (const Boundary mode :
       {Boundary::constant, Boundary::edge, Boundary::reflect, Boundary::symmetric, Boundary::wrap})
    for (i64 n = 1; n <= 7; ++n)
      for (i64 i = -30; i <= 30; ++i) CHECK(resolve_index(i, n, mode) == walk(i, n, mode));

  const i64 far = i64{1} << 62;
  CHECK(resolve_index(far, 5, Boundary::wrap) == far % 5);
  CHECK(resolve_index(-far, 5, Boundary::edge) == 0);
  CHECK(resolve_index(far, 5, Boundary::reflect) < 5);
  CHECK(resolve_index(-far, 5, Boundary::symmetric) >= 0);
  return test::check_result();
}
