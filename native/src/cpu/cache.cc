// Reads CPUID for caches and name, and the kernel's files for cores and quotas.
#include "cpu/cache.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lowp {
namespace {

#if defined(__x86_64__)

// Leaf 4 of Intel and leaf 0x8000001D of AMD have the same layout: deterministic cache parameters.
bool ReadCaches(uint32_t leaf, CacheSizes* sizes) {
  bool found = false;
  for (uint32_t index = 0; index < 16; index++) {
    uint32_t a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid_count(leaf, index, &a, &b, &c, &d)) return found;
    const uint32_t type = a & 31, level = (a >> 5) & 7;
    if (type == 0) break;
    const size_t ways = (b >> 22) + 1, partitions = ((b >> 12) & 0x3FF) + 1, line = (b & 0xFFF) + 1;
    const size_t bytes = ways * partitions * line * (static_cast<size_t>(c) + 1);
    const bool holds_data = type == 1 || type == 3;
    if (!holds_data) continue;
    found = true;
    if (level == 1) sizes->l1_bytes = bytes;
    if (level == 2) sizes->l2_bytes = bytes;
    if (level == 3) sizes->l3_bytes = bytes;
  }
  return found;
}

#endif

#if defined(__linux__)

struct FileCloser {
  void operator()(FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<FILE, FileCloser>;

bool ReadLine(const std::string& path, std::string* line) {
  File file(std::fopen(path.c_str(), "re"));
  char text[512];
  if (!file || !std::fgets(text, sizeof text, file.get())) return false;
  *line = text;
  line->erase(line->find_last_not_of(" \n") + 1);
  return true;
}

// CPUs of the affinity mask, hyper-threads of one core counted once.
size_t PhysicalCoresInAffinity() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return std::max(1u, std::thread::hardware_concurrency());
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &mask)) continue;
    std::string siblings;
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    if (!ReadLine(folder + "thread_siblings_list", &siblings)) siblings = std::to_string(cpu);
    cores.insert(siblings);
  }
  return std::max<size_t>(1, cores.size());
}

double QuotaV2(const std::string& folder) {
  std::string line;
  long long quota = 0, period = 0;
  if (!ReadLine(folder + "/cpu.max", &line)) return 0;
  if (std::sscanf(line.c_str(), "%lld %lld", &quota, &period) != 2 || quota <= 0 || period <= 0) return 0;
  return static_cast<double>(quota) / static_cast<double>(period);
}

double QuotaV1(const std::string& folder) {
  std::string quota_text, period_text;
  long long quota = 0, period = 0;
  if (!ReadLine(folder + "/cpu.cfs_quota_us", &quota_text) || !ReadLine(folder + "/cpu.cfs_period_us", &period_text))
    return 0;
  if (std::sscanf(quota_text.c_str(), "%lld", &quota) != 1 || std::sscanf(period_text.c_str(), "%lld", &period) != 1)
    return 0;
  return quota > 0 && period > 0 ? static_cast<double>(quota) / static_cast<double>(period) : 0;
}

void Lower(double quota, double* limit) {
  if (quota > 0 && (*limit == 0 || quota < *limit)) *limit = quota;
}

#endif

}  // namespace

CacheSizes DetectCaches() {
  CacheSizes sizes;
#if defined(__x86_64__)
  if (!ReadCaches(4, &sizes)) ReadCaches(0x8000001D, &sizes);
#endif
  return sizes;
}

std::string CpuBrand() {
#if defined(__x86_64__)
  char brand[49] = {};
  for (uint32_t i = 0; i < 3; i++) {
    uint32_t words[4] = {};
    if (!__get_cpuid(0x80000002 + i, &words[0], &words[1], &words[2], &words[3])) return "unknown";
    std::memcpy(brand + i * 16, words, 16);
  }
  const std::string text(brand);
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "unknown";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
#else
  return "unknown";
#endif
}

#if defined(__linux__)

double CgroupQuota(const std::string& root) {
  double limit = 0;
  File file(std::fopen((root + "/proc/self/cgroup").c_str(), "re"));
  char text[4096];
  while (file && std::fgets(text, sizeof text, file.get())) {
    const char* controllers = std::strchr(text, ':');
    const char* path = controllers ? std::strchr(controllers + 1, ':') : nullptr;
    if (!path) continue;
    const std::string names(controllers + 1, path);
    const bool v2 = names.empty();
    if (!v2 && ("," + names + ",").find(",cpu,") == std::string::npos) continue;
    std::string group(path + 1);
    group.erase(group.find_last_not_of(" \n") + 1);
    for (;;) {
      if (v2) {
        Lower(QuotaV2(root + "/sys/fs/cgroup" + group), &limit);
      } else {
        Lower(QuotaV1(root + "/sys/fs/cgroup/cpu" + group), &limit);
        Lower(QuotaV1(root + "/sys/fs/cgroup/cpu,cpuacct" + group), &limit);
      }
      const size_t slash = group.find_last_of('/');
      if (group.empty() || slash == std::string::npos) break;
      group.erase(slash);
    }
  }
  return limit;
}

#else

double CgroupQuota(const std::string&) { return 0; }

#endif

size_t UsableCores() {
#if defined(__linux__)
  const size_t cores = PhysicalCoresInAffinity();
  const double quota = CgroupQuota("");
  if (quota <= 0) return cores;
  return std::clamp<size_t>(static_cast<size_t>(quota), 1, cores);
#else
  return std::max(1u, std::thread::hardware_concurrency());
#endif
}

}  // namespace lowp
