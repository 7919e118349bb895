// How many CPUs this process may keep busy.
#pragma once

#include <string>

namespace multiconv {

// The CPUs of the affinity mask, cut to the cgroup quota; at least 1.
int available_cpus();

// The CPUs (rounded up) that the tightest CPU quota allows among the control groups that
// `membership` lists in the form of /proc/self/cgroup and their parents, with the hierarchies
// mounted below `mount`; 0 where there is no quota. Knows versions 1 and 2.
int cgroup_cpus(const std::string& membership, const std::string& mount);

}  // namespace multiconv
