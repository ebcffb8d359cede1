// Runs the calls of a program one after another in memory of its own. Not for two threads at a time.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/aligned.h"
#include "base/status.h"
#include "program/program.h"
#include "runtime/profile.h"
#include "thread/pool.h"

namespace lowp {

class Executor {
 public:
  // kMemory when arena and scratch do not fit into the memory of the machine.
  static Result<std::unique_ptr<Executor>> Create(std::shared_ptr<const Program> program, size_t threads);

  // The three steps of a run; none allocates. Pointers follow the program's ports, each with the size of its port and
  // any alignment. TakeInputs() is over with the inputs: it runs the opening calls, and copies what others read. Outputs
  // that it is given, unless null, are written by RunCalls() where they are, as far as the program allows; the others by
  // CopyOutputs(), which leaves out null entries. RunCalls() gives kAborted when Cancel() was called after ResetCancel(),
  // and kIndex when an index lies outside of its axis.
  void TakeInputs(const void* const* inputs, void* const* outputs);
  Status RunCalls();
  void CopyOutputs(void* const* outputs) const;

  // From any thread: ends RunCalls() before its next call.
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  void ResetCancel() { cancelled_.store(false, std::memory_order_relaxed); }

  const Program& program() const { return *program_; }
  size_t threads() const { return pool_->threads(); }

  // Starting gathers from zero.
  void SetProfiling(bool on);
  const CallTime& time(size_t call) const { return times_[call]; }

 private:
  struct Step {
    const PreparedCall* call = nullptr;
    RunContext context;
    bool parallel = false;
    size_t followers = 0;            // of the next steps, those whose tiles may run within this one
    bool follows = false;
    size_t flags = 0;                // of one that follows: index of its first tile in followed_
    size_t slice = 0;                // tiles of the last phase between two looks at the follower
  };
  struct TileJob;

  explicit Executor(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  Status Allocate(size_t threads);
  void ResolveOperands();
  void RunStep(size_t index);
  void RunWhole(const Step& step);
  void PlaceInputs(const void* const* inputs);
  void PlaceOutputs(void* const* outputs);
  Status FaultOf(size_t step) const;
  void RunPhase(const Step& step, size_t phase);
  void RunRest(const Step& step);
  void LinkFollowers();
  static void RunTiles(void* job, size_t worker, size_t begin, size_t end);
  static void RunFollowed(void* job, size_t worker, size_t begin, size_t end);
  static void RunUnfollowed(void* job, size_t worker, size_t begin, size_t end);
  const void* Resolve(const ProgramCall::Place& place) const;

  std::shared_ptr<const Program> program_;
  std::unique_ptr<Pool> pool_;
  AlignedPtr<uint8_t> arena_;
  AlignedPtr<uint8_t> scratch_;
  size_t scratch_stride_ = 0;
  std::vector<const void*> input_pointers_;   // of all steps, one after another
  std::vector<void*> output_pointers_;
  std::vector<size_t> first_input_;           // by step: of its pointers
  std::vector<size_t> first_output_;
  std::vector<Step> steps_;
  bool shares_work_ = false;  // any step does
  std::unique_ptr<uint8_t[]> followed_;  // by tile of each step that follows: 1 when it has run; written by one thread each
  std::unique_ptr<CallTime[]> times_;
  Fault fault_;
  std::atomic<bool> profiling_{false};
  std::atomic<bool> cancelled_{false};
};

}  // namespace lowp
