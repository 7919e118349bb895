// What the C++ tests check with. A test file is a program: its main() runs checks and returns
// check_result().
#pragma once

#include <cstdio>

namespace multiconv::test {

inline int checks = 0, failures = 0;

inline void check(bool ok, const char* what, const char* file, int line) {
  ++checks;
  if (ok) return;
  ++failures;
  std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
}

// The exit status. A program that checked nothing has failed.
inline int check_result() {
  std::printf("%d checks, %d failed\n", checks, failures);
  return checks > 0 && failures == 0 ? 0 : 1;
}

}  // namespace multiconv::test

// For the main thread only.
#define CHECK(condition) \
  ::multiconv::test::check(static_cast<bool>(condition), #condition, __FILE__, __LINE__)

#define CHECK_THROWS(expression, Exception)                                                  \
  do {                                                                                       \
    bool thrown = false;                                                                     \
    try {                                                                                    \
      static_cast<void>(expression);                                                         \
    } catch (const Exception&) {                                                             \
      thrown = true;                                                                         \
    }                                                                                        \
    ::multiconv::test::check(thrown, #expression " throws " #Exception, __FILE__, __LINE__); \
  } while (false)
