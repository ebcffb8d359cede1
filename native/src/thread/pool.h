// Persistent worker threads that share the tiles of one job at a time with their caller.
//
// Each thread owns a contiguous range of tiles, so that it meets the same weights on every run; the range is cut into
// chunks, and a thread that is done takes chunks of the others. Which thread runs a tile is never visible in results.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "thread/native_thread.h"

namespace lowp {

// Runs tiles [begin, end) on worker `worker`, which is below the number of threads of the pool.
using TileFunction = void (*)(void* context, size_t worker, size_t begin, size_t end);

class Pool {
 public:
  static constexpr size_t kMaxThreads = 256;

  // `threads` counts the caller: threads - 1 are started. Fails when the system refuses a thread.
  static Result<std::unique_ptr<Pool>> Create(size_t threads);

  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  size_t threads() const { return threads_; }

  // Returns when every tile has run. One caller at a time. Allocates nothing; takes no lock but to wake a sleeper.
  void Run(size_t tiles, TileFunction function, void* context);

  // Workers that sleep wake up and spin, as work is about to come. Not while Run() is going on.
  void Wake();

 private:
  struct Job {
    TileFunction function = nullptr;
    void* context = nullptr;
    size_t tiles = 0;
  };

  // Bits 63-32 generation, 31-16 number of chunks, 15-0 next chunk. The generation makes a late worker's claim fail.
  struct alignas(64) Slot {
    std::atomic<uint64_t> state{0};
  };

  struct Worker {
    Pool* pool = nullptr;
    size_t index = 0;
    NativeThread thread;
  };

  explicit Pool(size_t threads);
  bool StartWorkers();
  static void WorkerLoop(void* worker);
  void Work(size_t worker, uint32_t generation);
  bool Claim(Slot& slot, uint32_t generation, size_t* chunk, size_t* chunks);
  void RunChunk(size_t worker, size_t owner, size_t chunk, size_t chunks);

  const size_t threads_;
  Job job_;
  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<Worker[]> workers_;  // entry 0 stands for the caller and is not started
  alignas(64) std::atomic<uint32_t> generation_{0};
  alignas(64) std::atomic<uint32_t> parked_{0};  // workers that sleep: only then a wake-up, a system call, is needed
  alignas(64) std::atomic<uint32_t> pending_{0};
  alignas(64) std::atomic<bool> stop_{false};
};

}  // namespace lowp
