// Times runs of pools in which the threads only meet.
#include "thread/fork_join.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <tuple>
#include <utility>

#include "thread/pool.h"
#include "thread/spin.h"

namespace lowp {
namespace {

using Clock = std::chrono::steady_clock;

// A few times the spin budget: long enough for every worker to sleep.
constexpr std::chrono::microseconds kPause = 20 * kSpinBudget;
constexpr size_t kMostRuns = 20000;
constexpr std::chrono::milliseconds kTime{250};  // of all runs of one kind: threads that share a CPU meet slowly

struct Meeting {
  size_t threads = 0;
  std::atomic<size_t> present{0};

  static void Meet(void* context, size_t, size_t begin, size_t end) {
    Meeting& meeting = *static_cast<Meeting*>(context);
    meeting.present.fetch_add(end - begin, std::memory_order_acq_rel);
    const auto complete = [&] { return meeting.present.load(std::memory_order_acquire) == meeting.threads; };
    while (!SpinUntil(complete)) std::this_thread::yield();
  }
};

double RunMicroseconds(Pool& pool) {
  Meeting meeting;
  meeting.threads = pool.threads();
  const Clock::time_point begin = Clock::now();
  pool.Run(pool.threads(), Meeting::Meet, &meeting);
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

// The least and the median.
std::pair<double, double> Times(Pool& pool, std::chrono::microseconds pause) {
  std::vector<double> times;
  const Clock::time_point end = Clock::now() + kTime;
  do {
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
    times.push_back(RunMicroseconds(pool));
  } while (times.size() < kMostRuns && Clock::now() < end);
  std::sort(times.begin(), times.end());
  return {times.front(), times[times.size() / 2]};
}

}  // namespace

std::vector<ForkJoin> MeasureForkJoin(size_t most_threads) {
  most_threads = std::min(most_threads, Pool::kMaxThreads);
  std::vector<ForkJoin> found;
  std::vector<size_t> counts;
  for (size_t threads = 2; threads < most_threads; threads *= 2) counts.push_back(threads);
  if (most_threads >= 2) counts.push_back(most_threads);
  for (const size_t threads : counts) {
    const Result<std::unique_ptr<Pool>> pool = Pool::Create(threads);
    if (!pool.ok()) return found;
    ForkJoin result;
    result.threads = threads;
    std::tie(result.spinning_least, result.spinning_median) = Times(*pool.value(), {});
    std::tie(result.parked_least, result.parked_median) = Times(*pool.value(), kPause);
    found.push_back(result);
  }
  return found;
}

}  // namespace lowp
