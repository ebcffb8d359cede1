// The byte layout of a program, as lib/program/serialize.ts documents and writes it.
#pragma once
#include <cstdint>

namespace lowp {

constexpr uint32_t kProgramMagic = 0x50574f4c;  // "LOWP" read as a little-endian word
constexpr uint32_t kProgramVersion = 1;
constexpr uint32_t kNoIndex = 0xffffffff;       // an absent operand, name or constant

enum class BufferKind : uint32_t { kInput = 0, kOutput = 1, kConstant = 2, kTemporary = 3 };
constexpr uint32_t kBufferKinds = 4;

// Limits that no real program reaches; they keep hostile ones from asking for absurd work.
constexpr uint32_t kMaxRank = 16;
constexpr uint32_t kMaxOperands = 4096;  // inputs of a call, and outputs
constexpr uint64_t kMaxBufferBytes = uint64_t{1} << 40;

}  // namespace lowp
