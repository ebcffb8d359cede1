// What it costs to share work: the time of a Pool's run that does nothing but bring its threads together.
#pragma once
#include <cstddef>
#include <vector>

namespace lowp {

// Microseconds from the call of Pool::Run to its return. Each thread runs one tile, which ends when all have begun:
// without that, the caller would run empty tiles alone before a worker has seen them.
struct ForkJoin {
  size_t threads = 0;
  double spinning_least = 0, spinning_median = 0;  // right behind another run, while the workers spin
  double parked_least = 0, parked_median = 0;      // behind a pause, when the system has to wake the workers
};

// For 2, 4, 8, ... and `most_threads` threads; about half a second each. Empty for one thread, and it ends early where
// the system refuses threads.
std::vector<ForkJoin> MeasureForkJoin(size_t most_threads);

}  // namespace lowp
