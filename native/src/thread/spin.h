// Waiting without giving up the CPU, for a bounded time.
#pragma once
#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lowp {

// Longer than the gap between two calls of a running program, shorter than the pause between two requests.
constexpr std::chrono::microseconds kSpinBudget{50};

inline void CpuRelax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Calls done() until it gives true or the budget is used up; the last answer of done().
template <class Done>
bool SpinUntil(Done done) {
  constexpr int kChecksPerClock = 32;
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    for (int i = 0; i < kChecksPerClock; i++) {
      if (done()) return true;
      CpuRelax();
    }
    if (std::chrono::steady_clock::now() - start > kSpinBudget) return done();
  }
}

}  // namespace lowp
