// Compiles a program: decode, validate and prepare each call, keep the constants that are read at run time, plan memory.
#include "program/program.h"

#include <algorithm>
#include <cstdlib>

#include "cpu/cache.h"
#include "program/lifetimes.h"
#include "program/plan_memory.h"

namespace lowp {

CompileOptions DefaultCompileOptions() {
  CompileOptions options;
  options.isa = ActiveIsa();
  options.threads = UsableCores();
  if (const char* text = std::getenv("LOWP_THREADS")) {
    const unsigned long threads = std::strtoul(text, nullptr, 10);
    if (threads > 0) options.threads = threads;
  }
  const char* row = std::getenv("LOWP_FORCE_KERNEL");
  options.force_row = row && *row ? row : nullptr;
  return options;
}

// The steps of Program::Compile.
class ProgramBuilder {
 public:
  ProgramBuilder(DecodedProgram decoded, const CompileOptions& options)
      : decoded_(std::move(decoded)), program_(new (std::nothrow) Program()) {
    const CacheSizes caches = DetectCaches();
    context_.isa = HighestIsa(options.isa);
    context_.threads = options.threads;
    context_.l1_bytes = caches.l1_bytes;
    context_.l2_bytes = caches.l2_bytes;
    context_.force_row = options.force_row;
  }

  Result<std::shared_ptr<const Program>> Build() {
    if (!program_) return Status(Code::kMemory, "no memory for a program");
    for (CallInfo& call : decoded_.calls) LOWP_RETURN_IF_ERROR(PrepareCall(call));
    LOWP_RETURN_IF_ERROR(KeepConstants());
    LOWP_RETURN_IF_ERROR(PlaceBuffers());
    CountOpeningCalls();
    AddPorts();
    return std::shared_ptr<const Program>(std::move(program_));
  }

 private:
  Operand OperandOf(uint32_t id) const {
    Operand operand;
    if (id == kNoIndex) return operand;
    const BufferInfo& buffer = decoded_.buffers[id];
    operand.present = true;
    operand.type = buffer.type;
    operand.elements = buffer.elements;
    operand.constant = buffer.kind == BufferKind::kConstant ? ConstantData(buffer) : nullptr;
    return operand;
  }

  // A constant without elements still has an address, which tells it from a value that is not constant.
  static const void* ConstantData(const BufferInfo& buffer) {
    static constexpr uint64_t kEmpty = 0;
    return buffer.constant.empty() ? static_cast<const void*>(&kEmpty) : buffer.constant.data();
  }

  Status PrepareCall(CallInfo& call) {
    std::vector<Operand> inputs, outputs;
    uint64_t bytes = 0;
    for (const uint32_t id : call.inputs) inputs.push_back(OperandOf(id));
    for (const uint32_t id : call.outputs) outputs.push_back(OperandOf(id));
    for (const uint32_t id : call.inputs) bytes += id == kNoIndex ? 0 : decoded_.buffers[id].bytes;
    for (const uint32_t id : call.outputs) bytes += decoded_.buffers[id].bytes;
    CallView view;
    view.params = call.params.data();
    view.inputs = {inputs.data(), inputs.size()};
    view.outputs = {outputs.data(), outputs.size()};
    const Status valid = call.kernel->validate(view);
    if (!valid.ok()) return Status(valid.code(), "node " + call.name + ": " + valid.message());
    Result<PreparedPtr> prepared = call.kernel->prepare(view, context_);
    if (!prepared.ok())
      return Status(prepared.status().code(), "node " + call.name + ": " + prepared.status().message());
    ProgramCall planned;
    planned.name = call.name;
    planned.kernel = call.kernel;
    planned.prepared = std::move(prepared.value());
    planned.bytes = bytes;
    program_->scratch_bytes_ = std::max(program_->scratch_bytes_, planned.prepared->scratch_bytes);
    program_->packed_bytes_ += planned.prepared->packed_bytes;
    program_->found_bytes_ += planned.prepared->found_bytes;
    program_->calls_.push_back(std::move(planned));
    return Status();
  }

  static bool IsPacked(const PreparedCall& prepared, size_t input) {
    return input < 64 && ((prepared.packed_inputs >> input) & 1);
  }

  Status KeepConstants() {
    kept_.assign(decoded_.buffers.size(), nullptr);
    for (size_t c = 0; c < decoded_.calls.size(); c++) {
      const std::vector<uint32_t>& inputs = decoded_.calls[c].inputs;
      for (size_t i = 0; i < inputs.size(); i++) {
        const uint32_t id = inputs[i];
        if (id == kNoIndex || kept_[id] || IsPacked(*program_->calls_[c].prepared, i)) continue;
        const BufferInfo& buffer = decoded_.buffers[id];
        if (buffer.kind != BufferKind::kConstant) continue;
        SharedArray<uint8_t> copy = ShareCopy(buffer.constant.data(), buffer.bytes);
        if (!copy) return Status(Code::kMemory, "no memory for constants of " + std::to_string(buffer.bytes) + " bytes");
        kept_[id] = copy.get();
        program_->constant_bytes_ += buffer.bytes;
        program_->found_bytes_ += copy.found_bytes();
        program_->constants_.push_back(std::move(copy));
      }
    }
    return Status();
  }

  // Whether call c reads, in the end completely, what call l stores piece by piece, and else only constants.
  bool MayFollow(size_t c, size_t l) const {
    const CallInfo &leader = decoded_.calls[l], &call = decoded_.calls[c];
    if (leader.outputs.size() != 1 || call.inputs.empty() || call.inputs[0] != leader.outputs[0]) return false;
    for (size_t i = 1; i < call.inputs.size(); i++) {
      const uint32_t id = call.inputs[i];
      if (id != kNoIndex && decoded_.buffers[id].kind != BufferKind::kConstant) return false;
    }
    const PreparedCall &lead = *program_->calls_[l].prepared, &next = *program_->calls_[c].prepared;
    const IndexRange all = lead.Completes(0, lead.tiles[lead.phases - 1]);
    if (all.begin != 0 || all.end != decoded_.buffers[leader.outputs[0]].elements) return false;
    const IndexRange tiles = next.Readable(all);
    return tiles.begin == 0 && tiles.end == next.tiles[0] && tiles.end > 0;
  }

  // Calls behind each other follow the same one when all of them only read what it stores. What a call follows must not
  // follow itself, as its tiles may run early too: the larger value decides.
  void ChooseFollowers() {
    for (size_t c = 1; c < decoded_.calls.size(); c++) {
      ProgramCall &before = program_->calls_[c - 1], &call = program_->calls_[c];
      const size_t joined = before.follows > 0 ? before.follows + 1 : 0;
      if (joined > 0 && joined <= kMaxFollowers && OnlyReads(c) && OnlyReads(c - 1) && MayFollow(c, c - joined)) {
        call.follows = joined;
        call.followed_bytes = before.followed_bytes;
        continue;
      }
      if (!MayFollow(c, c - 1)) continue;
      const uint64_t bytes = decoded_.buffers[decoded_.calls[c].inputs[0]].bytes;
      if (before.follows > 0 && before.followed_bytes >= bytes) continue;
      before.follows = 0;
      call.follows = 1;
      call.followed_bytes = bytes;
    }
  }

  // Nothing that it writes may lie where its input does.
  bool OnlyReads(size_t c) const { return program_->calls_[c].prepared->inplace_input < 0; }

  Status PlaceBuffers() {
    ChooseFollowers();
    std::vector<CallMemory> memory;
    for (const ProgramCall& call : program_->calls_)
      memory.push_back(
          {call.prepared->shared_bytes, call.prepared->inplace_input, call.follows, call.prepared->accumulates});
    const Lifetimes lifetimes = ComputeLifetimes(decoded_, memory);
    Result<MemoryPlan> plan = PlanMemory(lifetimes.blocks);
    if (!plan.ok()) return plan.status();
    program_->arena_bytes_ = plan.value().arena_bytes;
    offsets_.assign(decoded_.buffers.size(), 0);
    for (size_t i = 0; i < offsets_.size(); i++) {
      const size_t block = lifetimes.block_of_buffer[i];
      if (block != Lifetimes::kNoBlock) offsets_[i] = plan.value().offsets[block];
    }
    for (size_t c = 0; c < decoded_.calls.size(); c++) {
      ProgramCall& call = program_->calls_[c];
      const size_t block = lifetimes.block_of_call[c];
      if (block != Lifetimes::kNoBlock) call.shared_offset = plan.value().offsets[block];
      for (size_t i = 0; i < decoded_.calls[c].inputs.size(); i++)
        call.inputs.push_back(PlaceOf(decoded_.calls[c].inputs[i], IsPacked(*call.prepared, i)));
      for (const uint32_t id : decoded_.calls[c].outputs) call.outputs.push_back(PlaceOf(id, false));
    }
    return Status();
  }

  ProgramCall::Place PlaceOf(uint32_t id, bool packed) const {
    using Kind = ProgramCall::Place::Kind;
    if (id == kNoIndex) return {};
    if (decoded_.buffers[id].kind != BufferKind::kConstant) return {Kind::kArena, offsets_[id], nullptr};
    if (packed) return {};
    return {Kind::kConstant, 0, kept_[id]};
  }

  // Followers are left out, as their tiles run within the call that they follow.
  void CountOpeningCalls() {
    const std::vector<ProgramCall>& calls = program_->calls_;
    size_t& count = program_->opening_calls_;
    for (; count < calls.size(); count++) {
      const bool leads = count + 1 < calls.size() && calls[count + 1].follows > 0;
      if (!calls[count].prepared->reads_in_place || leads || calls[count].follows > 0) return;
      const std::vector<uint32_t>& inputs = decoded_.calls[count].inputs;
      for (size_t i = 0; i < inputs.size(); i++) {
        const BufferKind kind = inputs[i] == kNoIndex ? BufferKind::kConstant : decoded_.buffers[inputs[i]].kind;
        if (kind != (i == 0 ? BufferKind::kInput : BufferKind::kConstant)) return;
      }
    }
  }

  static void FindOperands(const std::vector<uint32_t>& ids, uint32_t id, size_t call, std::vector<OperandIndex>* found) {
    for (size_t i = 0; i < ids.size(); i++)
      if (ids[i] == id) found->push_back({call, i});
  }

  // Of a port, those that may be somewhere else than in the arena.
  std::vector<OperandIndex> OperandsOf(uint32_t id) const {
    std::vector<OperandIndex> reads, writes;
    for (size_t c = 0; c < decoded_.calls.size(); c++) {
      FindOperands(decoded_.calls[c].inputs, id, c, &reads);
      FindOperands(decoded_.calls[c].outputs, id, c, &writes);
    }
    const bool input = decoded_.buffers[id].kind == BufferKind::kInput;
    const std::vector<OperandIndex>& own = input ? reads : writes;
    if (!(input ? writes : reads).empty()) return {};
    for (const OperandIndex& operand : own)
      if ((operand.call < program_->opening_calls_) != input) return {};
    return own;
  }

  void AddPorts() {
    std::vector<bool> accumulates(decoded_.buffers.size());
    for (size_t c = 0; c < decoded_.calls.size(); c++)
      if (program_->calls_[c].prepared->accumulates) accumulates[decoded_.calls[c].outputs[0]] = true;
    for (size_t i = 0; i < decoded_.buffers.size(); i++) {
      BufferInfo& buffer = decoded_.buffers[i];
      if (buffer.kind != BufferKind::kInput && buffer.kind != BufferKind::kOutput) continue;
      std::vector<Port>& ports = buffer.kind == BufferKind::kInput ? program_->inputs_ : program_->outputs_;
      std::vector<OperandIndex> operands;
      if (!accumulates[i]) operands = OperandsOf(static_cast<uint32_t>(i));
      ports.push_back({std::move(buffer.name), buffer.type, std::move(buffer.shape), buffer.bytes, offsets_[i],
                       std::move(operands), accumulates[i]});
    }
  }

  DecodedProgram decoded_;
  std::unique_ptr<Program> program_;
  PrepareContext context_;
  std::vector<const uint8_t*> kept_;  // by buffer: the program's copy of a constant
  std::vector<size_t> offsets_;       // by buffer: place in the arena
};

Result<std::shared_ptr<const Program>> Program::Compile(Span<const uint8_t> bytes,
                                                        Span<const Span<const uint8_t>> constants,
                                                        const CompileOptions& options) {
  Result<DecodedProgram> decoded = DecodeProgram(bytes, constants);
  if (!decoded.ok()) return decoded.status();
  return ProgramBuilder(std::move(decoded.value()), options).Build();
}

}  // namespace lowp
