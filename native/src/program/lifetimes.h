// When each buffer of a program is in use, and which buffers share their memory.
#pragma once
#include <cstdint>
#include <vector>

#include "program/decode.h"
#include "program/plan_memory.h"

namespace lowp {

// What the runtime must know about a prepared call to place its memory.
struct CallMemory {
  size_t shared_bytes = 0;
  int inplace_input = -1;
  size_t follows = 0;  // so many calls before it is the call while which its tiles may run; 0: none
  bool accumulates = false;  // output 0 keeps its content between runs
};

struct Lifetimes {
  static constexpr size_t kNoBlock = SIZE_MAX;
  std::vector<Block> blocks;
  std::vector<size_t> block_of_buffer;  // kNoBlock for constants and for buffers that nobody uses
  std::vector<size_t> block_of_call;    // of its shared memory; kNoBlock when it needs none
};

// Time 0 is the copy of inputs, call i happens at time i + 1, outputs are copied after the last call. A buffer lives
// from its first write to its last read or write; what a call that follows writes lives from the call that it follows on,
// and what a call accumulates lives all the time. An
// output shares the memory of the input that its call allows, when that input is used for the last time, has the same
// type and size, and the output is written for the first time.
Lifetimes ComputeLifetimes(const DecodedProgram& program, const std::vector<CallMemory>& calls);

}  // namespace lowp
