// Job hand-over by a generation counter: workers spin on it for a while, then sleep on it.
#include "thread/pool.h"

#include <algorithm>
#include <new>

#include "thread/float_mode.h"
#include "thread/spin.h"

namespace lowp {
namespace {

// More chunks balance better, fewer cost less; a chunk is at least one tile.
constexpr size_t kChunksPerThread = 2;

constexpr uint64_t PackState(uint32_t generation, size_t chunks) {
  return (static_cast<uint64_t>(generation) << 32) | (static_cast<uint64_t>(chunks) << 16);
}

size_t RangeBegin(size_t tiles, size_t part, size_t parts) {
  return tiles / parts * part + std::min(tiles % parts, part);
}

}  // namespace

Pool::Pool(size_t threads) : threads_(threads), slots_(new (std::nothrow) Slot[threads]), workers_(new (std::nothrow) Worker[threads]) {}

Result<std::unique_ptr<Pool>> Pool::Create(size_t threads) {
  LOWP_REQUIRE(threads >= 1 && threads <= kMaxThreads,
               "the number of threads must be 1 to " + std::to_string(kMaxThreads) + ", got " + std::to_string(threads));
  std::unique_ptr<Pool> pool(new (std::nothrow) Pool(threads));
  if (!pool || !pool->slots_ || !pool->workers_) return Status(Code::kMemory, "no memory for a pool of threads");
  if (!pool->StartWorkers()) return Status(Code::kMemory, "the system refused to start another thread");
  return pool;
}

Pool::~Pool() {
  stop_.store(true, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (size_t t = 1; workers_ && t < threads_; t++) workers_[t].thread.Join();
}

bool Pool::StartWorkers() {
  for (size_t t = 1; t < threads_; t++) {
    workers_[t].pool = this;
    workers_[t].index = t;
    if (!workers_[t].thread.Start(WorkerLoop, &workers_[t])) return false;
  }
  return true;
}

void Pool::WorkerLoop(void* argument) {
  const Worker& worker = *static_cast<Worker*>(argument);
  Pool& pool = *worker.pool;
  const ScopedFloatMode float_mode;
  uint32_t seen = 0;
  for (;;) {
    const auto changed = [&] { return pool.generation_.load(std::memory_order_acquire) != seen; };
    if (!SpinUntil(changed)) {
      pool.parked_.fetch_add(1, std::memory_order_seq_cst);
      pool.generation_.wait(seen, std::memory_order_seq_cst);
      pool.parked_.fetch_sub(1, std::memory_order_relaxed);
    }
    seen = pool.generation_.load(std::memory_order_acquire);
    if (pool.stop_.load(std::memory_order_relaxed)) return;
    pool.Work(worker.index, seen);
  }
}

bool Pool::Claim(Slot& slot, uint32_t generation, size_t* chunk, size_t* chunks) {
  uint64_t state = slot.state.load(std::memory_order_acquire);
  for (;;) {
    *chunk = state & 0xFFFF;
    *chunks = (state >> 16) & 0xFFFF;
    if (static_cast<uint32_t>(state >> 32) != generation || *chunk >= *chunks) return false;
    if (slot.state.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) return true;
  }
}

// A claimed chunk keeps the job alive: the caller cannot return, and so cannot change job_, before it is counted off.
void Pool::RunChunk(size_t worker, size_t owner, size_t chunk, size_t chunks) {
  const size_t first = RangeBegin(job_.tiles, owner, threads_);
  const size_t count = RangeBegin(job_.tiles, owner + 1, threads_) - first;
  const size_t begin = first + RangeBegin(count, chunk, chunks);
  const size_t end = first + RangeBegin(count, chunk + 1, chunks);
  job_.function(job_.context, worker, begin, end);
  if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_all();
}

void Pool::Work(size_t worker, uint32_t generation) {
  for (size_t i = 0; i < threads_; i++) {
    const size_t owner = (worker + i) % threads_;
    size_t chunk = 0, chunks = 0;
    while (Claim(slots_[owner], generation, &chunk, &chunks)) RunChunk(worker, owner, chunk, chunks);
  }
}

// No slot has the new generation, so there is nothing to claim.
void Pool::Wake() {
  if (parked_.load(std::memory_order_seq_cst) == 0) return;
  generation_.fetch_add(1, std::memory_order_seq_cst);
  generation_.notify_all();
}

void Pool::Run(size_t tiles, TileFunction function, void* context) {
  if (tiles == 0) return;
  if (threads_ == 1 || tiles == 1) {
    function(context, 0, 0, tiles);
    return;
  }
  job_ = {function, context, tiles};
  const uint32_t generation = generation_.load(std::memory_order_relaxed) + 1;
  uint32_t total = 0;
  size_t chunks_of[kMaxThreads];
  for (size_t t = 0; t < threads_; t++) {
    const size_t count = RangeBegin(tiles, t + 1, threads_) - RangeBegin(tiles, t, threads_);
    chunks_of[t] = std::min(count, kChunksPerThread);
    total += static_cast<uint32_t>(chunks_of[t]);
  }
  pending_.store(total, std::memory_order_relaxed);
  for (size_t t = 0; t < threads_; t++)
    slots_[t].state.store(PackState(generation, chunks_of[t]), std::memory_order_release);
  // Both sides are sequentially consistent: a worker that is not counted here has yet to look at the generation.
  generation_.store(generation, std::memory_order_seq_cst);
  if (parked_.load(std::memory_order_seq_cst) > 0) generation_.notify_all();
  Work(0, generation);
  const auto done = [&] { return pending_.load(std::memory_order_acquire) == 0; };
  while (!SpinUntil(done)) {
    const uint32_t left = pending_.load(std::memory_order_acquire);
    if (left != 0) pending_.wait(left, std::memory_order_acquire);
  }
}

}  // namespace lowp
