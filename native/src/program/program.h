// A program made ready to run: kernels chosen, constants packed, memory planned. Immutable, shared by its sessions.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/shared_array.h"
#include "base/span.h"
#include "base/status.h"
#include "kernels/kernel.h"
#include "program/decode.h"

namespace lowp {

struct CompileOptions {
  Isa isa = Isa::kScalar;
  size_t threads = 1;               // what tiles and blocks are sized for; sessions may use another number
  const char* force_row = nullptr;  // the row of that name wherever it fits
};

// ActiveIsa(), UsableCores() (or LOWP_THREADS) and LOWP_FORCE_KERNEL.
CompileOptions DefaultCompileOptions();

// An operand of a call.
struct OperandIndex {
  size_t call, operand;
};

// An input or output, in the order of the buffer table.
struct Port {
  std::string name;
  ElementType type = ElementType::kF32;
  std::vector<uint32_t> shape;
  uint64_t bytes = 0;
  size_t arena_offset = 0;
  // The operands that are this port, when the memory of whoever runs the program can take the place of the arena: of an
  // input that only opening calls read, of an output that no call reads and that does not accumulate. Otherwise empty.
  std::vector<OperandIndex> operands;
  bool accumulates = false;  // an output that keeps its content between runs
};

// Calls that may follow one at most.
constexpr size_t kMaxFollowers = 4;

struct ProgramCall {
  // Where an operand is when the program runs.
  struct Place {
    enum class Kind : uint8_t { kAbsent, kArena, kConstant } kind = Kind::kAbsent;
    size_t offset = 0;                 // into the arena
    const void* constant = nullptr;
  };
  std::string name;
  const KernelDef* kernel = nullptr;
  PreparedPtr prepared;
  std::vector<Place> inputs;
  std::vector<Place> outputs;
  size_t shared_offset = 0;
  // So many calls before this one is the call that it follows: tiles may run as soon as that call's have stored what they
  // read. 0: none. Calls that follow the same one are neighbours.
  size_t follows = 0;
  uint64_t followed_bytes = 0;  // of the value that it follows
  uint64_t bytes = 0;  // of all operands together, for the profile
};

class Program {
 public:
  // Copies or packs what it needs of `constants`, unless the process has the same bytes already; `constants` may go away
  // afterwards.
  static Result<std::shared_ptr<const Program>> Compile(Span<const uint8_t> bytes,
                                                        Span<const Span<const uint8_t>> constants,
                                                        const CompileOptions& options);

  const std::vector<ProgramCall>& calls() const { return calls_; }
  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }
  // So many calls at the beginning read nothing but inputs, where they are, in the time that copying would take.
  size_t opening_calls() const { return opening_calls_; }
  size_t arena_bytes() const { return arena_bytes_; }
  size_t scratch_bytes() const { return scratch_bytes_; }    // per worker
  size_t packed_bytes() const { return packed_bytes_; }      // constants packed by kernels
  size_t constant_bytes() const { return constant_bytes_; }  // constants kept as they are
  size_t found_bytes() const { return found_bytes_; }        // of both, those that were in memory before it was compiled

 private:
  friend class ProgramBuilder;
  Program() = default;

  std::vector<ProgramCall> calls_;
  std::vector<Port> inputs_;
  std::vector<Port> outputs_;
  std::vector<SharedArray<uint8_t>> constants_;
  size_t opening_calls_ = 0;
  size_t arena_bytes_ = 0;
  size_t scratch_bytes_ = 0;
  size_t packed_bytes_ = 0;
  size_t constant_bytes_ = 0;
  size_t found_bytes_ = 0;
};

}  // namespace lowp
