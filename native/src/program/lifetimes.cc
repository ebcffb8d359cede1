// Lifetimes by one pass over the calls, then in-place merging in call order.
#include "program/lifetimes.h"

#include <algorithm>

namespace lowp {
namespace {

struct Use {
  size_t first = SIZE_MAX;
  size_t last = 0;
  bool used() const { return first != SIZE_MAX; }
  void At(size_t time) {
    first = std::min(first, time);
    last = std::max(last, time);
  }
};

// When call c may write first.
size_t BirthTime(const std::vector<CallMemory>& calls, size_t c) { return c + 1 - calls[c].follows; }

std::vector<Use> BufferUses(const DecodedProgram& program, const std::vector<CallMemory>& calls) {
  std::vector<Use> uses(program.buffers.size());
  for (size_t i = 0; i < uses.size(); i++)
    if (program.buffers[i].kind == BufferKind::kInput) uses[i].At(0);
  for (size_t c = 0; c < program.calls.size(); c++) {
    for (const uint32_t id : program.calls[c].inputs)
      if (id != kNoIndex) uses[id].At(c + 1);
    for (const uint32_t id : program.calls[c].outputs) {
      uses[id].At(BirthTime(calls, c));
      uses[id].At(c + 1);
    }
    if (!calls[c].accumulates) continue;
    Use& kept = uses[program.calls[c].outputs[0]];
    kept.At(0);
    kept.At(program.calls.size() + 1);
  }
  for (size_t i = 0; i < uses.size(); i++) {
    if (program.buffers[i].kind == BufferKind::kOutput) uses[i].At(program.calls.size() + 1);
    if (program.buffers[i].kind == BufferKind::kConstant) uses[i] = Use();
  }
  return uses;
}

// The buffer whose memory output 0 of call `c` takes over, or kNoIndex.
uint32_t InplaceSource(const DecodedProgram& program, const std::vector<Use>& uses, const std::vector<CallMemory>& calls,
                       size_t c) {
  const CallInfo& call = program.calls[c];
  const int input = calls[c].inplace_input;
  if (input < 0 || static_cast<size_t>(input) >= call.inputs.size() || call.outputs.empty()) return kNoIndex;
  const uint32_t source = call.inputs[static_cast<size_t>(input)];
  if (source == kNoIndex || std::count(call.inputs.begin(), call.inputs.end(), source) != 1) return kNoIndex;
  const BufferInfo& from = program.buffers[source];
  const BufferInfo& to = program.buffers[call.outputs[0]];
  const bool dies_here = from.kind != BufferKind::kConstant && uses[source].last == c + 1;
  const bool born_here = uses[call.outputs[0]].first == BirthTime(calls, c);
  const bool same = from.type == to.type && from.elements == to.elements;
  return dies_here && born_here && same ? source : kNoIndex;
}

}  // namespace

Lifetimes ComputeLifetimes(const DecodedProgram& program, const std::vector<CallMemory>& calls) {
  const std::vector<Use> uses = BufferUses(program, calls);
  Lifetimes result;
  result.block_of_buffer.assign(program.buffers.size(), Lifetimes::kNoBlock);
  result.block_of_call.assign(calls.size(), Lifetimes::kNoBlock);
  for (size_t c = 0; c < calls.size(); c++) {
    const uint32_t source = InplaceSource(program, uses, calls, c);
    if (source == kNoIndex) continue;
    size_t& block = result.block_of_buffer[source];
    if (block == Lifetimes::kNoBlock) {
      block = result.blocks.size();
      result.blocks.push_back({program.buffers[source].bytes, uses[source].first, uses[source].last});
    }
    const uint32_t target = program.calls[c].outputs[0];
    result.block_of_buffer[target] = block;
    result.blocks[block].last = uses[target].last;
  }
  for (size_t i = 0; i < uses.size(); i++) {
    if (!uses[i].used() || result.block_of_buffer[i] != Lifetimes::kNoBlock) continue;
    result.block_of_buffer[i] = result.blocks.size();
    result.blocks.push_back({program.buffers[i].bytes, uses[i].first, uses[i].last});
  }
  for (size_t c = 0; c < calls.size(); c++) {
    if (calls[c].shared_bytes == 0) continue;
    result.block_of_call[c] = result.blocks.size();
    result.blocks.push_back({calls[c].shared_bytes, BirthTime(calls, c), c + 1});
  }
  return result;
}

}  // namespace lowp
