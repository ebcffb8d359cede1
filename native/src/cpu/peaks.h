// The most that one core of this machine can do: arithmetic by instruction, reading by cache.
#pragma once
#include <cstddef>
#include <vector>

#include "cpu/isa.h"

namespace lowp {

struct ArithmeticPeak {
  const char* name;  // the instructions of the loop
  const char* type;  // f32 or u8s8
  Isa isa;           // the first level that has them
  double gops = 0;   // 10^9 operations per second, best of many short runs; a multiply-add is two operations
};

struct ReadPeak {
  const char* level;  // L1, L2, L3 or memory
  size_t bytes = 0;   // that were read again and again, in order
  double gbps = 0;    // 10^9 bytes per second, best of several runs
};

// Of the instructions up to `isa`; a fraction of a second on the calling thread. Empty where none is known.
std::vector<ArithmeticPeak> MeasureArithmetic(Isa isa);

// Half of each cache, and much more than the largest; a level that is not known, or whose memory is not to be had, is
// left out. About a second on the calling thread.
std::vector<ReadPeak> MeasureReading();

}  // namespace lowp
