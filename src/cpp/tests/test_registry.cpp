// Targets and kernels are found, and MULTICONV_FORCE_ISA rules. An argument names the target that
// the environment forces.
#include <cstdlib>
#include <cstring>
#include <set>
#include <stdexcept>
#include <string>

#include "registry.hpp"
#include "tests/check.hpp"

using namespace multiconv;

namespace {

void test_list() {
  std::set<std::string> names;
  for (const Target& target : targets()) {
    CHECK(names.insert(target.name).second);
    CHECK(target.count > 0);
    CHECK(target.count == targets()[0].count);
    std::set<std::string> kernels;
    for (int i = 0; i < target.count; ++i) {
      const Kernel& kernel = target.kernels[i];
      CHECK(kernels.insert(kernel.name).second);
      CHECK(std::strcmp(kernel.name, targets()[0].kernels[i].name) == 0);
      CHECK(kernel.accepts && kernel.packed_bytes && kernel.pack && kernel.scratch_bytes &&
            kernel.run);
    }
  }
  CHECK(names.count("scalar") == 1);
  CHECK(targets()[0].supported);
  CHECK(targets()[0].vector_bytes == 0);
}

void test_find() {
  for (const Target& target : targets()) {
    CHECK(find_target(target.name) == (target.supported ? &target : nullptr));
    for (int i = 0; i < target.count; ++i) {
      const Kernel* found = find_kernel(target.kernels[i].name, target.name);
      CHECK(found == (target.supported ? &target.kernels[i] : nullptr));
    }
    CHECK(!find_kernel("no such kernel", target.name));
  }
  CHECK(!find_target("no such target"));
  CHECK(!find_kernel(targets()[0].kernels[0].name, "no such target"));
}

// Two targets' kernels are different code.
void test_distinct() {
  for (const Target& a : targets())
    for (const Target& b : targets())
      for (int i = 0; &a != &b && i < a.count; ++i) CHECK(a.kernels[i].run != b.kernels[i].run);
}

void test_active(const char* forced) {
  const Target* best = nullptr;
  bool forced_runs = false;
  for (const Target& target : targets()) {
    if (target.supported) best = &target;
    if (forced && target.supported && std::strcmp(target.name, forced) == 0) forced_runs = true;
  }
  if (forced && !forced_runs) {
    CHECK_THROWS(active_target(), std::invalid_argument);
    return;
  }
  const Target& active = active_target();
  CHECK(forced ? std::strcmp(active.name, forced) == 0 : &active == best);
  CHECK(find_target(nullptr) == &active);
  CHECK(find_target("") == &active);
  CHECK(find_kernel(active.kernels[0].name, nullptr) == &active.kernels[0]);
  CHECK(find_kernel(active.kernels[0].name, "") == &active.kernels[0]);
  setenv("MULTICONV_FORCE_ISA", "read once", 1);
  CHECK(&active_target() == &active);
}

void test_unknown_isa_is_refused() {
  setenv("MULTICONV_FORCE_ISA", "mmx", 1);
  try {
    active_target();
    CHECK(!"mmx was accepted");
  } catch (const std::invalid_argument& error) {
    const std::string text = error.what();
    CHECK(text.find("MULTICONV_FORCE_ISA") != std::string::npos);
    CHECK(text.find("'mmx'") != std::string::npos);
    CHECK(text.find("scalar") != std::string::npos);
  }
  unsetenv("MULTICONV_FORCE_ISA");
}

}  // namespace

int main(int argc, char** argv) {
  test_list();
  test_find();
  test_distinct();
  if (argc > 1) {
    test_active(argv[1]);
  } else {
    test_unknown_isa_is_refused();
    test_active(nullptr);
  }
  return test::check_result();
}
