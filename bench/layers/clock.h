// Time, and a fixed loop whose duration tells whether the CPU was all ours.
#pragma once
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace layer_bench {

inline double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

inline double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// How often a thread of this process lost its CPU to another one.
inline long Preemptions() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

// A chain of dependent multiplications: as many cycles every time, no memory.
class Calibration {
 public:
  // True when the loop took more than 5 % longer than the fastest so far: something else ran, or the clock fell.
  bool Disturbed() {
    const double begin = Now();
    uint64_t x = 3;
    for (int i = 0; i < kSteps; i++) {
      x *= 0x9E3779B97F4A7C15ull;
      asm volatile("" : "+r"(x));
    }
    const double seconds = Now() - begin;
    seconds_.push_back(seconds);
    fastest_ = seconds_.size() == 1 ? seconds : std::min(fastest_, seconds);
    return seconds > 1.05 * fastest_;
  }

  double fastest() const { return fastest_; }
  // Median over fastest: 1 on a quiet machine.
  double spread() const { return fastest_ > 0 ? Median(seconds_) / fastest_ : 1; }

 private:
  static constexpr int kSteps = 200000;
  double fastest_ = 0;
  std::vector<double> seconds_;
};

}  // namespace layer_bench
