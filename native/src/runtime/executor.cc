// Resolves every operand to an address once, so that a run is a loop over calls and phases.
#include "runtime/executor.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include "thread/float_mode.h"

namespace lowp {
namespace {

// Below these a call is over before other threads would have had a share of it (about 5 microseconds on one core).
constexpr double kParallelOperations = 1e6;
constexpr uint64_t kParallelBytes = 64 << 10;

uint64_t PhysicalMemory() {
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
  return pages > 0 && page > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page) : UINT64_MAX;
}

// Bytes that a call stores before its follower reads them: they stay in a second-level cache.
constexpr uint64_t kFollowedBytes = 256 << 10;

// For the widest elements: kernels take several narrow ones at a time.
bool IsAligned(const void* address) { return reinterpret_cast<uintptr_t>(address) % 8 == 0; }

uint64_t Nanoseconds(std::chrono::steady_clock::duration duration) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
}

}  // namespace

struct Executor::TileJob {
  const Step* step;
  size_t phase;
  uint8_t* scratch;
  size_t scratch_stride;
  uint8_t* followed;

  void Run(const Step& which, size_t in_phase, size_t worker, size_t begin, size_t end) const {
    RunContext context = which.context;
    context.scratch = scratch + worker * scratch_stride;
    which.call->Run(context, in_phase, begin, end);
  }
};

void Executor::RunTiles(void* argument, size_t worker, size_t begin, size_t end) {
  const TileJob& job = *static_cast<const TileJob*>(argument);
  job.Run(*job.step, job.phase, worker, begin, end);
}

// Runs the tiles in slices, and behind each the tiles of the followers whose input is complete.
void Executor::RunFollowed(void* argument, size_t worker, size_t begin, size_t end) {
  const TileJob& job = *static_cast<const TileJob*>(argument);
  const Step& step = *job.step;
  size_t done[kMaxFollowers] = {};
  for (size_t at = begin; at < end;) {
    const size_t next = std::min(end, at + step.slice);
    job.Run(step, job.phase, worker, at, next);
    const IndexRange complete = step.call->Completes(begin, next);
    for (size_t f = 0; f < step.followers; f++) {
      const Step& follower = (&step)[1 + f];
      const IndexRange ready = follower.call->Readable(complete);
      const size_t first = std::max(done[f], ready.begin);
      if (ready.end <= first) continue;
      job.Run(follower, 0, worker, first, ready.end);
      std::memset(job.followed + follower.flags + first, 1, ready.end - first);
      done[f] = ready.end;
    }
    at = next;
  }
}

Result<std::unique_ptr<Executor>> Executor::Create(std::shared_ptr<const Program> program, size_t threads) {
  std::unique_ptr<Executor> executor(new (std::nothrow) Executor(std::move(program)));
  if (!executor) return Status(Code::kMemory, "no memory for a session");
  const Status allocated = executor->Allocate(threads);
  if (!allocated.ok()) return allocated;
  executor->ResolveOperands();
  return executor;
}

Status Executor::Allocate(size_t threads) {
  Result<std::unique_ptr<Pool>> pool = Pool::Create(threads);
  if (!pool.ok()) return pool.status();
  pool_ = std::move(pool.value());
  scratch_stride_ = (program_->scratch_bytes() + kReadSlack + 63) & ~size_t{63};
  uint64_t scratch = 0, total = 0;
  const bool fits = CheckedMul(scratch_stride_, threads, &scratch) &&
                    !__builtin_add_overflow(scratch, uint64_t{program_->arena_bytes()}, &total) && total <= PhysicalMemory();
  if (fits) {
    arena_ = AllocateAligned<uint8_t>(program_->arena_bytes());
    scratch_ = AllocateAligned<uint8_t>(scratch);
  }
  size_t followed = 1;
  for (const ProgramCall& call : program_->calls())
    if (call.follows > 0) followed += call.prepared->tiles[0];
  followed_.reset(new (std::nothrow) uint8_t[followed]);
  times_.reset(new (std::nothrow) CallTime[program_->calls().size() + 1]);
  if (arena_ && scratch_ && followed_ && times_) return Status();
  return Status(Code::kMemory, "a session of this program needs " + std::to_string(program_->arena_bytes()) +
                                   " bytes for values and " + std::to_string(scratch_stride_) +
                                   " bytes for each of " + std::to_string(threads) + " threads, which is not available");
}

const void* Executor::Resolve(const ProgramCall::Place& place) const {
  using Kind = ProgramCall::Place::Kind;
  if (place.kind == Kind::kArena) return arena_.get() + place.offset;
  return place.kind == Kind::kConstant ? place.constant : nullptr;
}

void Executor::ResolveOperands() {
  const std::vector<ProgramCall>& calls = program_->calls();
  for (const ProgramCall& call : calls) {
    for (const ProgramCall::Place& place : call.inputs) input_pointers_.push_back(Resolve(place));
    for (const ProgramCall::Place& place : call.outputs) output_pointers_.push_back(arena_.get() + place.offset);
  }
  size_t input = 0, output = 0;
  for (size_t i = 0; i < calls.size(); i++) {
    const ProgramCall& call = calls[i];
    first_input_.push_back(input);
    first_output_.push_back(output);
    Step step;
    step.call = call.prepared.get();
    step.context.inputs = input_pointers_.data() + input;
    step.context.outputs = output_pointers_.data() + output;
    step.context.shared = arena_.get() + call.shared_offset;
    step.context.fault = &fault_;
    // Opening calls run on the caller's thread alone, while workers wake up for what comes next.
    const bool large = call.prepared->operations >= kParallelOperations || call.bytes >= kParallelBytes;
    step.parallel = large && i >= program_->opening_calls();
    shares_work_ = shares_work_ || step.parallel;
    steps_.push_back(step);
    input += call.inputs.size();
    output += call.outputs.size();
  }
  for (const Step& step : steps_)
    if (step.call->accumulates) step.call->Reset(step.context);
  LinkFollowers();
}

void Executor::LinkFollowers() {
  const std::vector<ProgramCall>& calls = program_->calls();
  size_t flags = 0;
  for (size_t i = 1; i < calls.size(); i++) {
    if (calls[i].follows == 0) continue;
    Step& leader = steps_[i - calls[i].follows];
    const size_t tiles = leader.call->tiles[leader.call->phases - 1];
    const uint64_t slices = std::max<uint64_t>(1, calls[i].followed_bytes / kFollowedBytes);
    leader.slice = std::max<size_t>(1, tiles / slices);
    leader.followers = calls[i].follows;
    steps_[i].follows = true;
    steps_[i].flags = flags;
    flags += steps_[i].call->tiles[0];
  }
}

void Executor::SetProfiling(bool on) {
  if (on)
    for (size_t i = 0; i < steps_.size(); i++) times_[i].Reset();
  profiling_.store(on, std::memory_order_relaxed);
}

void Executor::RunPhase(const Step& step, size_t phase) {
  TileJob job{&step, phase, scratch_.get(), scratch_stride_, followed_.get()};
  const bool leads = step.followers > 0 && phase + 1 == step.call->phases;
  const TileFunction function = leads ? RunFollowed : RunTiles;
  const size_t tiles = step.call->tiles[phase];
  for (size_t f = 1; leads && f <= step.followers; f++)
    std::memset(followed_.get() + (&step)[f].flags, 0, (&step)[f].call->tiles[0]);
  if (step.parallel) {
    pool_->Run(tiles, function, &job);
  } else if (tiles > 0) {
    function(&job, 0, 0, tiles);
  }
}

// Those of the tiles that have not run within the call before.
void Executor::RunUnfollowed(void* argument, size_t worker, size_t begin, size_t end) {
  const TileJob& job = *static_cast<const TileJob*>(argument);
  for (size_t at = begin; at < end;) {
    size_t next = at;
    while (next < end && !job.followed[next]) next++;
    if (next > at) RunTiles(argument, worker, at, next);
    at = next + 1;
  }
}

// Phase 0 of a call that follows. Every range of tiles that a thread ran of its leader leaves tiles at its ends.
void Executor::RunRest(const Step& step) {
  uint8_t* followed = followed_.get() + step.flags;
  TileJob job{&step, 0, scratch_.get(), scratch_stride_, followed};
  const size_t tiles = step.call->tiles[0];
  const size_t left = static_cast<size_t>(std::count(followed, followed + tiles, 0));
  if (step.parallel && left > 1) {
    pool_->Run(tiles, RunUnfollowed, &job);
  } else if (left > 0) {
    RunUnfollowed(&job, 0, 0, tiles);
  }
}

void Executor::RunWhole(const Step& step) {
  if (step.follows) RunRest(step);
  for (size_t phase = step.follows ? 1 : 0; phase < step.call->phases; phase++) RunPhase(step, phase);
}

void Executor::RunStep(size_t index) {
  if (!profiling_.load(std::memory_order_relaxed)) {
    RunWhole(steps_[index]);
    return;
  }
  const auto begin = std::chrono::steady_clock::now();
  RunWhole(steps_[index]);
  times_[index].Add(Nanoseconds(std::chrono::steady_clock::now() - begin));
}

void Executor::PlaceInputs(const void* const* inputs) {
  const std::vector<Port>& ports = program_->inputs();
  for (size_t i = 0; i < ports.size(); i++) {
    const void* from = inputs[i];
    if (ports[i].bytes > 0 && (ports[i].operands.empty() || !IsAligned(from))) {
      from = std::memcpy(arena_.get() + ports[i].arena_offset, from, ports[i].bytes);
    }
    for (const OperandIndex& o : ports[i].operands) input_pointers_[first_input_[o.call] + o.operand] = from;
  }
}

void Executor::PlaceOutputs(void* const* outputs) {
  const std::vector<Port>& ports = program_->outputs();
  for (size_t i = 0; i < ports.size(); i++) {
    const bool given = outputs && outputs[i] && IsAligned(outputs[i]);
    void* to = given ? outputs[i] : arena_.get() + ports[i].arena_offset;
    for (const OperandIndex& o : ports[i].operands) output_pointers_[first_output_[o.call] + o.operand] = to;
  }
}

void Executor::TakeInputs(const void* const* inputs, void* const* outputs) {
  const ScopedFloatMode float_mode;
  fault_.Reset();
  if (shares_work_) pool_->Wake();
  PlaceInputs(inputs);
  PlaceOutputs(outputs);
  for (size_t i = 0; i < program_->opening_calls(); i++) RunStep(i);
}

void Executor::CopyOutputs(void* const* outputs) const {
  const std::vector<Port>& ports = program_->outputs();
  for (size_t i = 0; i < ports.size(); i++) {
    const std::vector<OperandIndex>& own = ports[i].operands;
    const bool written = !own.empty() && output_pointers_[first_output_[own[0].call] + own[0].operand] == outputs[i];
    if (ports[i].bytes > 0 && outputs[i] && !written)
      std::memcpy(outputs[i], arena_.get() + ports[i].arena_offset, ports[i].bytes);
  }
}

Status Executor::FaultOf(size_t step) const {
  const ProgramCall& call = program_->calls()[step];
  return Status(Code::kIndex, "node " + call.name + ": " + call.prepared->Describe(steps_[step].context, fault_.position()));
}

Status Executor::RunCalls() {
  const ScopedFloatMode float_mode;
  for (size_t i = program_->opening_calls(); i < steps_.size(); i++) {
    if (cancelled_.load(std::memory_order_relaxed)) break;
    RunStep(i);
    if (fault_.position() != Fault::kNone) return FaultOf(i);
  }
  if (cancelled_.load(std::memory_order_relaxed)) return Status(Code::kAborted, "the run was cancelled");
  return Status();
}

}  // namespace lowp
