// Cache sizes, processor name and the number of cores that this process may keep busy.
#pragma once
#include <cstddef>
#include <string>

namespace lowp {

struct CacheSizes {
  size_t l1_bytes = 32 << 10;  // data cache of one core
  size_t l2_bytes = 1 << 20;   // of one core
  size_t l3_bytes = 0;         // shared; 0 when there is none or it is not known
};

// From CPUID; where it says nothing, the defaults above.
CacheSizes DetectCaches();

// The brand string of CPUID without surrounding blanks, or "unknown".
std::string CpuBrand();

// CPU quota of the process's control group in cores, the smallest from the group up to the root of its hierarchy (v1 and
// v2); 0 when there is none. The files are read below `root`, which is empty but in tests.
double CgroupQuota(const std::string& root);

// Physical cores in the affinity mask of the process, at most the CPU quota of its control group (v1 and v2), at least 1.
size_t UsableCores();

}  // namespace lowp
