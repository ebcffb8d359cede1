// Every tile runs exactly once, on every number of threads, after pauses, and when one thread is slow.
#include "thread/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace lowp {
namespace {

struct Marks {
  std::vector<std::atomic<int>> hits;
  std::atomic<size_t> highest_worker{0};
  explicit Marks(size_t tiles) : hits(tiles) {}
};

void Mark(void* context, size_t worker, size_t begin, size_t end) {
  Marks& marks = *static_cast<Marks*>(context);
  for (size_t i = begin; i < end; i++) marks.hits[i].fetch_add(1);
  size_t highest = marks.highest_worker.load();
  while (worker > highest && !marks.highest_worker.compare_exchange_weak(highest, worker)) {
  }
}

void ExpectOnce(Pool& pool, size_t tiles) {
  Marks marks(tiles);
  pool.Run(tiles, Mark, &marks);
  for (size_t i = 0; i < tiles; i++) ASSERT_EQ(marks.hits[i].load(), 1) << "tile " << i << " of " << tiles;
  EXPECT_LT(marks.highest_worker.load(), pool.threads());
}

TEST(Pool, RunsEveryTileOnce) {
  for (size_t threads : {1, 2, 3, 5}) {
    auto pool = Pool::Create(threads);
    ASSERT_TRUE(pool.ok());
    for (size_t tiles = 0; tiles < 70; tiles++) ExpectOnce(*pool.value(), tiles);
    ExpectOnce(*pool.value(), 100000);
  }
}

TEST(Pool, WakesWorkersThatWentToSleep) {
  auto pool = Pool::Create(3);
  ASSERT_TRUE(pool.ok());
  for (int round = 0; round < 20; round++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    for (int wake = 0; wake < round % 3; wake++) pool.value()->Wake();
    ExpectOnce(*pool.value(), 37);
  }
}

TEST(Pool, SurvivesManyShortJobs) {
  auto pool = Pool::Create(4);
  ASSERT_TRUE(pool.ok());
  std::atomic<size_t> sum{0};
  const auto add = [](void* context, size_t, size_t begin, size_t end) {
    static_cast<std::atomic<size_t>*>(context)->fetch_add(end - begin, std::memory_order_relaxed);
  };
  size_t expected = 0;
  for (size_t round = 0; round < 5000; round++) {
    pool.value()->Run(round % 23, add, &sum);
    expected += round % 23;
    ASSERT_EQ(sum.load(), expected);
  }
}

TEST(Pool, OtherThreadsTakeTheTilesOfASlowOne) {
  auto pool = Pool::Create(2);
  ASSERT_TRUE(pool.ok());
  // Whoever takes tile 0 holds it until all other tiles have run, which the other thread must do alone.
  const auto body = [](void* context, size_t, size_t begin, size_t end) {
    auto& done = *static_cast<std::atomic<size_t>*>(context);
    if (begin == 0)
      while (done.load() < 3) std::this_thread::yield();
    done.fetch_add(end - begin);
  };
  std::atomic<size_t> done{0};
  pool.value()->Run(4, body, &done);
  EXPECT_EQ(done.load(), 4u);
}

TEST(Pool, RefusesAnImpossibleNumberOfThreads) {
  EXPECT_EQ(Pool::Create(0).status().code(), Code::kInvalid);
  EXPECT_EQ(Pool::Create(Pool::kMaxThreads + 1).status().code(), Code::kInvalid);
}

}  // namespace
}  // namespace lowp
