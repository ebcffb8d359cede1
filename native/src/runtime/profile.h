// Time spent in each call of a session, gathered only while asked for.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace lowp {

struct CallTime {
  std::atomic<uint64_t> runs{0};
  std::atomic<uint64_t> total_ns{0};
  std::atomic<uint64_t> min_ns{UINT64_MAX};

  void Add(uint64_t ns) {
    runs.fetch_add(1, std::memory_order_relaxed);
    total_ns.fetch_add(ns, std::memory_order_relaxed);
    if (ns < min_ns.load(std::memory_order_relaxed)) min_ns.store(ns, std::memory_order_relaxed);
  }
  void Reset() {
    runs.store(0, std::memory_order_relaxed);
    total_ns.store(0, std::memory_order_relaxed);
    min_ns.store(UINT64_MAX, std::memory_order_relaxed);
  }
};

}  // namespace lowp
