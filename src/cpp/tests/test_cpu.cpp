// What is found out about the machine: instruction sets, caches, name, usable CPUs.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/cpu.hpp"
#include "base/cpu_count.hpp"
#include "tests/check.hpp"

using namespace multiconv;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& path, const char* text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

void test_features() {
  CHECK(cpu_runs("scalar"));
  CHECK(!cpu_runs("avx1024"));
  CHECK(!cpu_runs(""));
  CHECK(!cpu_runs("avx512") || cpu_runs("avx2"));
  CHECK(!cpu_runs("avx2") || cpu_runs("x86_64_v2"));
  CHECK(!(cpu_runs("neon") && cpu_runs("x86_64_v2")));
#ifdef __aarch64__
  CHECK(cpu_runs("neon"));
#endif
}

void test_caches() {
  const CacheSizes sizes = cache_sizes();
  CHECK(sizes.l1d >= 4 << 10);
  CHECK(sizes.l2 > sizes.l1d);
  CHECK(sizes.l3 >= 64 << 10);
}

void test_name() {
  const std::string name = cpu_name();
  CHECK(name.find('\0') == std::string::npos);
  CHECK(name.empty() || (name.front() != ' ' && name.back() != ' '));
#ifdef __x86_64__
  CHECK(!name.empty());
#endif
}

void test_quotas() {
  char pattern[] = "/tmp/multiconv-cgroup-XXXXXX";
  const fs::path root = mkdtemp(pattern);
  const std::string mount = root.string();
  const auto v2 = [&] { return cgroup_cpus("0::/a/b\n", mount); };
  const auto v1 = [&] { return cgroup_cpus("9:memory:/a\n4:cpu,cpuacct:/a/b\n", mount); };

  CHECK(v2() == 0);
  CHECK(v1() == 0);
  CHECK(cgroup_cpus("", mount) == 0);
  CHECK(cgroup_cpus("nonsense\n1:no path\n::\n", mount) == 0);

  write(root / "a/b/cpu.max", "max 100000\n");
  CHECK(v2() == 0);
  write(root / "a/b/cpu.max", "250000 100000\n");
  CHECK(v2() == 3);  // two and a half
  write(root / "a/cpu.max", "10000 100000\n");
  CHECK(v2() == 1);  // the parent is tighter
  write(root / "a/cpu.max", "800000 100000\n");
  CHECK(v2() == 3);
  write(root / "cpu.max", "200000 100000\n");  // as a container sees its own group
  CHECK(v2() == 2);
  CHECK(cgroup_cpus("0::/not/there\n", mount) == 2);
  write(root / "unified/a/cpu.max", "100000 100000\n");
  CHECK(v2() == 1);

  write(root / "cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
  write(root / "cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
  CHECK(v1() == 0);
  write(root / "cpu,cpuacct/a/b/cpu.cfs_quota_us", "350000\n");
  CHECK(v1() == 4);
  write(root / "cpu/cpu.cfs_quota_us", "150000\n");
  write(root / "cpu/cpu.cfs_period_us", "50000\n");
  CHECK(v1() == 3);
  CHECK(cgroup_cpus("4:cpuset,cpuacct:/a/b\n", mount) == 0);

  fs::remove_all(root);
}

}  // namespace

int main() {
  test_features();
  test_caches();
  test_name();
  test_quotas();
  CHECK(available_cpus() >= 1);
  return test::check_result();
}
