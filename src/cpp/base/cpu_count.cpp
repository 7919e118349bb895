#include "base/cpu_count.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

namespace multiconv {
namespace {

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

double quota_v2(const std::string& group) {
  std::ifstream file(group + "/cpu.max");
  double quota = 0, period = 0;  // "max 100000" fails to parse: no quota
  return file >> quota >> period && quota > 0 && period > 0 ? quota / period : kNoQuota;
}

double quota_v1(const std::string& group) {
  double quota = 0, period = 0;
  std::ifstream(group + "/cpu.cfs_quota_us") >> quota;  // -1: no quota
  std::ifstream(group + "/cpu.cfs_period_us") >> period;
  return quota > 0 && period > 0 ? quota / period : kNoQuota;
}

// The tightest quota from the group up to the root. The path of a container's group often does not
// exist inside the container, where the root then is that group.
double tightest(double (*quota)(const std::string&), const std::string& root, std::string path) {
  double least = kNoQuota;
  for (;;) {
    least = std::min(least, quota(root + path));
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return least;
    path.resize(slash);
  }
}

bool lists_cpu(const std::string& controllers) {
  return ("," + controllers + ",").find(",cpu,") != std::string::npos;
}

int affinity_cpus() {
#ifdef __linux__
  for (std::size_t cpus = 1024; cpus <= (1u << 20); cpus *= 2) {
    std::vector<unsigned long> mask(cpus / (8 * sizeof(unsigned long)));
    auto* set = reinterpret_cast<cpu_set_t*>(mask.data());
    const std::size_t bytes = mask.size() * sizeof(unsigned long);
    if (sched_getaffinity(0, bytes, set) == 0) return std::max(1, CPU_COUNT_S(bytes, set));
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

int cgroup_cpus(const std::string& membership, const std::string& mount) {
  std::istringstream lines(membership);
  double least = kNoQuota;
  for (std::string line; std::getline(lines, line);) {  // id:controllers:path
    const std::size_t first = line.find(':');
    if (first == std::string::npos) continue;
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      least = std::min(
          {least, tightest(quota_v2, mount, path), tightest(quota_v2, mount + "/unified", path)});
    } else if (lists_cpu(controllers)) {
      least = std::min({least, tightest(quota_v1, mount + "/" + controllers, path),
                        tightest(quota_v1, mount + "/cpu", path)});
    }
  }
  return least == kNoQuota ? 0 : static_cast<int>(std::clamp(std::ceil(least), 1.0, 1e6));
}

int available_cpus() {
  const int cpus = affinity_cpus();
#ifdef __linux__
  std::ifstream file("/proc/self/cgroup");
  std::stringstream membership;
  if (file) membership << file.rdbuf();
  const int quota = cgroup_cpus(membership.str(), "/sys/fs/cgroup");
  if (quota > 0) return std::min(cpus, quota);
#endif
  return cpus;
}

}  // namespace multiconv
