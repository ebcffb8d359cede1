// The most arithmetic that one core can do, by instruction.
#pragma once
#include <string>
#include <vector>

namespace layer_bench {

struct Peak {
  const char* name;
  const char* type;    // f32 or u8s8
  const char* isa;     // the first level that has the instruction
  double gops = 0;     // best of many short runs; a multiply-add is two operations
};

// Of the instructions that the CPU has up to `isa` (scalar, avx2, avx512, vnni; anything else: no limit).
std::vector<Peak> MeasurePeaks(const std::string& isa);

}  // namespace layer_bench
