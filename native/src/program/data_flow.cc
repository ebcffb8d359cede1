// Checks the order of writes and reads of a decoded program.
#include <algorithm>

#include "program/decode.h"

namespace lowp {
namespace {

Status CheckCall(const DecodedProgram& program, const CallInfo& call, const std::string& where,
                 const std::vector<bool>& written) {
  for (const uint32_t id : call.inputs) {
    if (id == kNoIndex) continue;
    LOWP_REQUIRE(written[id], where + ": buffer " + std::to_string(id) + " is read before anything is written to it");
  }
  for (size_t i = 0; i < call.outputs.size(); i++) {
    const uint32_t id = call.outputs[i];
    const BufferKind kind = program.buffers[id].kind;
    LOWP_REQUIRE(kind == BufferKind::kOutput || kind == BufferKind::kTemporary,
                 where + ": buffer " + std::to_string(id) + " is an input or a constant and cannot be written");
    const auto end = call.outputs.begin() + static_cast<std::ptrdiff_t>(i);
    LOWP_REQUIRE(std::find(call.outputs.begin(), end, id) == end &&
                     std::find(call.inputs.begin(), call.inputs.end(), id) == call.inputs.end(),
                 where + ": buffer " + std::to_string(id) + " is written and named a second time");
  }
  return Status();
}

}  // namespace

Status CheckDataFlow(const DecodedProgram& program) {
  std::vector<bool> written(program.buffers.size());
  for (size_t i = 0; i < written.size(); i++) {
    const BufferKind kind = program.buffers[i].kind;
    written[i] = kind == BufferKind::kInput || kind == BufferKind::kConstant;
  }
  for (size_t i = 0; i < program.calls.size(); i++) {
    const CallInfo& call = program.calls[i];
    const std::string where = "program: call " + std::to_string(i) + " (" + call.name + ")";
    LOWP_RETURN_IF_ERROR(CheckCall(program, call, where, written));
    for (const uint32_t id : call.outputs) written[id] = true;
  }
  for (size_t i = 0; i < written.size(); i++)
    LOWP_REQUIRE(written[i] || program.buffers[i].kind != BufferKind::kOutput,
                 "program: output " + program.buffers[i].name + " (buffer " + std::to_string(i) + ") is never written");
  return Status();
}

}  // namespace lowp
