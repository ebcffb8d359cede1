// The CPU quota of control groups, from trees of files made for the test.
#include "cpu/cache.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace lowp {
namespace {

#if defined(__linux__)

class CgroupTree : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/lowp-cgroup-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  double Quota() const { return CgroupQuota(root_); }

  std::string root_;
};

TEST_F(CgroupTree, NoFilesNoQuota) { EXPECT_EQ(Quota(), 0); }

TEST_F(CgroupTree, Version2TakesTheSmallestOnTheWayUp) {
  Write("/proc/self/cgroup", "0::/pod/app\n");
  Write("/sys/fs/cgroup/pod/app/cpu.max", "400000 100000\n");
  EXPECT_EQ(Quota(), 4);
  Write("/sys/fs/cgroup/pod/cpu.max", "150000 100000\n");
  EXPECT_EQ(Quota(), 1.5);
  Write("/sys/fs/cgroup/cpu.max", "900000 100000\n");
  EXPECT_EQ(Quota(), 1.5);
}

TEST_F(CgroupTree, Version2WithoutLimitHasNone) {
  Write("/proc/self/cgroup", "0::/app\n");
  Write("/sys/fs/cgroup/app/cpu.max", "max 100000\n");
  EXPECT_EQ(Quota(), 0);
}

TEST_F(CgroupTree, TheRootGroupHasALimitInAContainer) {
  Write("/proc/self/cgroup", "0::/\n");
  Write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(Quota(), 0.5);
}

TEST_F(CgroupTree, Version1ReadsTheHierarchyOfTheCpuController) {
  Write("/proc/self/cgroup", "5:memory:/app\n4:cpu,cpuacct:/app/one\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/app/one/cpu.cfs_quota_us", "-1\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/app/one/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), 0);
  Write("/sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us", "300000\n");
  Write("/sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), 3);
  Write("/sys/fs/cgroup/cpu/app/cpu.cfs_quota_us", "200000\n");
  Write("/sys/fs/cgroup/cpu/app/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), 2);
}

TEST_F(CgroupTree, IgnoresWhatIsNoQuota) {
  Write("/proc/self/cgroup", "nonsense\n0::/app\n7:cpuset:/app\n");
  for (const char* text : {"", "\n", "x y\n", "0 100000\n", "100000 0\n", "-5 100000\n", "100000\n"}) {
    Write("/sys/fs/cgroup/app/cpu.max", text);
    EXPECT_EQ(Quota(), 0) << text;
  }
}

#endif

TEST(UsableCores, AreAtLeastOne) { EXPECT_GE(UsableCores(), 1u); }

}  // namespace
}  // namespace lowp
