// Program bytes as checked structures. The bytes are untrusted: every index, count, size and kind is validated.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/span.h"
#include "base/status.h"
#include "kernels/kernel.h"
#include "program/format.h"

namespace lowp {

struct BufferInfo {
  BufferKind kind = BufferKind::kTemporary;
  ElementType type = ElementType::kF32;
  uint64_t elements = 0;
  uint64_t bytes = 0;
  std::string name;               // of inputs and outputs
  std::vector<uint32_t> shape;    // of inputs and outputs; its product is `elements`
  Span<const uint8_t> constant;   // of constants; borrowed from the caller of DecodeProgram
};

struct CallInfo {
  const KernelDef* kernel = nullptr;
  std::string name;
  std::vector<uint8_t> params;    // the kernel's params struct in the byte order of this machine
  std::vector<uint32_t> inputs;   // buffer or kNoIndex
  std::vector<uint32_t> outputs;  // buffer
};

struct DecodedProgram {
  std::vector<BufferInfo> buffers;
  std::vector<CallInfo> calls;
};

// Bytes and constants to structures; constants are borrowed. Errors are kInvalid, or kUnsupported for a version or a
// kernel that this build does not know.
Result<DecodedProgram> DecodeProgram(Span<const uint8_t> bytes, Span<const Span<const uint8_t>> constants);

// What must hold between calls: inputs are written before they are read, constants and inputs are never written,
// outputs are written, and no call names a buffer both as input and output or twice as output.
Status CheckDataFlow(const DecodedProgram& program);

}  // namespace lowp
