// Which numbers of threads are measured, and that the times make sense.
#include "thread/fork_join.h"

#include <gtest/gtest.h>

namespace lowp {
namespace {

TEST(ForkJoin, IsMeasuredForPowersOfTwoAndAllThreads) {
  EXPECT_TRUE(MeasureForkJoin(0).empty());
  EXPECT_TRUE(MeasureForkJoin(1).empty());
  const std::vector<ForkJoin> found = MeasureForkJoin(3);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].threads, 2u);
  EXPECT_EQ(found[1].threads, 3u);
  for (const ForkJoin& f : found) {
    EXPECT_GT(f.spinning_least, 0);
    EXPECT_GE(f.spinning_median, f.spinning_least);
    EXPECT_GE(f.parked_median, f.parked_least);
  }
}

}  // namespace
}  // namespace lowp
