// Walks the tables of a program in order; see lib/program/serialize.ts for the layout.
#include "program/decode.h"

#include "program/byte_reader.h"

namespace lowp {
namespace {

constexpr const char* kTypeNames[kElementTypes] = {"f32", "u8", "i8", "i32", "i64", "f16", "i16", "boolean"};

class Decoder {
 public:
  Decoder(Span<const uint8_t> bytes, Span<const Span<const uint8_t>> constants) : reader_(bytes), constants_(constants) {}

  Status Decode(DecodedProgram* program) {
    uint32_t strings = 0, buffers = 0, calls = 0;
    LOWP_RETURN_IF_ERROR(ReadHeader(&strings, &buffers, &calls));
    LOWP_RETURN_IF_ERROR(ReadStrings(strings));
    if (buffers > reader_.left() / 28) return Truncated("the buffer table");
    program->buffers.resize(buffers);
    for (uint32_t i = 0; i < buffers; i++) LOWP_RETURN_IF_ERROR(ReadBuffer(i, &program->buffers[i]));
    if (calls > reader_.left() / 20) return Truncated("the call table");
    program->calls.resize(calls);
    for (uint32_t i = 0; i < calls; i++) LOWP_RETURN_IF_ERROR(ReadCall(i, buffers, &program->calls[i]));
    LOWP_REQUIRE(reader_.left() == 0, "program: " + std::to_string(reader_.left()) + " bytes follow the last call");
    return Status();
  }

 private:
  Status Truncated(const std::string& where) const {
    return Invalid("program: the bytes end inside " + where + " (offset " + std::to_string(reader_.offset()) + ")");
  }

  Status ReadHeader(uint32_t* strings, uint32_t* buffers, uint32_t* calls) {
    uint32_t magic = 0, version = 0;
    if (!reader_.ReadWord(&magic) || !reader_.ReadWord(&version)) return Truncated("the header");
    LOWP_REQUIRE(magic == kProgramMagic, "program: the bytes do not start with LOWP");
    if (version != kProgramVersion)
      return Unsupported("program: version " + std::to_string(version) + ", this build reads version " +
                         std::to_string(kProgramVersion));
    if (!reader_.ReadCount(4, strings) || !reader_.ReadWord(buffers) || !reader_.ReadWord(calls))
      return Truncated("the header");
    return Status();
  }

  Status ReadStrings(uint32_t count) {
    strings_.resize(count);
    for (std::string& text : strings_) {
      uint32_t length = 0;
      if (!reader_.ReadWord(&length) || !reader_.ReadPadded(length, &text)) return Truncated("the string table");
    }
    return Status();
  }

  Status ReadString(const std::string& where, std::string* text) {
    uint32_t index = 0;
    if (!reader_.ReadWord(&index)) return Truncated(where);
    LOWP_REQUIRE(index < strings_.size(), where + ": there is no string " + std::to_string(index));
    *text = strings_[index];
    return Status();
  }

  Status ReadBuffer(uint32_t index, BufferInfo* buffer) {
    const std::string where = "program: buffer " + std::to_string(index);
    uint32_t kind = 0, type = 0, low = 0, high = 0;
    if (!reader_.ReadWord(&kind) || !reader_.ReadWord(&type) || !reader_.ReadWord(&low) || !reader_.ReadWord(&high))
      return Truncated(where);
    LOWP_REQUIRE(kind < kBufferKinds, where + ": kind " + std::to_string(kind) + " is not known");
    LOWP_REQUIRE(type < kElementTypes, where + ": element type " + std::to_string(type) + " is not known");
    buffer->kind = static_cast<BufferKind>(kind);
    buffer->type = static_cast<ElementType>(type);
    buffer->elements = static_cast<uint64_t>(high) << 32 | low;
    LOWP_REQUIRE(CheckedMul(buffer->elements, SizeOf(buffer->type), &buffer->bytes) && buffer->bytes <= kMaxBufferBytes,
                 where + ": " + std::to_string(buffer->elements) + " elements are too many");
    const bool port = buffer->kind == BufferKind::kInput || buffer->kind == BufferKind::kOutput;
    if (port) {
      LOWP_RETURN_IF_ERROR(ReadString(where, &buffer->name));
    } else {
      LOWP_RETURN_IF_ERROR(ReadNone(where, "a name"));
    }
    if (buffer->kind == BufferKind::kConstant) {
      LOWP_RETURN_IF_ERROR(ReadConstant(where, buffer));
    } else {
      LOWP_RETURN_IF_ERROR(ReadNone(where, "a constant"));
    }
    return ReadShape(where, port, buffer);
  }

  Status ReadNone(const std::string& where, const char* what) {
    uint32_t index = 0;
    if (!reader_.ReadWord(&index)) return Truncated(where);
    LOWP_REQUIRE(index == kNoIndex, where + ": its kind has no use for " + what);
    return Status();
  }

  Status ReadConstant(const std::string& where, BufferInfo* buffer) {
    uint32_t index = 0;
    if (!reader_.ReadWord(&index)) return Truncated(where);
    LOWP_REQUIRE(index < constants_.size(), where + ": there is no constant " + std::to_string(index) + ", " +
                                                std::to_string(constants_.size()) + " were given");
    buffer->constant = constants_[index];
    LOWP_REQUIRE(buffer->constant.size() == buffer->bytes,
                 where + ": constant " + std::to_string(index) + " has " + std::to_string(buffer->constant.size()) +
                     " bytes, expected " + std::to_string(buffer->bytes) + " (" + std::to_string(buffer->elements) + " " +
                     kTypeNames[static_cast<size_t>(buffer->type)] + ")");
    return Status();
  }

  Status ReadShape(const std::string& where, bool port, BufferInfo* buffer) {
    uint32_t rank = 0;
    if (!reader_.ReadCount(4, &rank)) return Truncated(where);
    LOWP_REQUIRE(rank <= kMaxRank, where + ": rank " + std::to_string(rank) + " is above " + std::to_string(kMaxRank));
    buffer->shape.resize(rank);
    uint64_t product = 1;
    bool fits = true;
    for (uint32_t& size : buffer->shape) {
      reader_.ReadWord(&size);
      fits = fits && CheckedMul(product, size, &product);
    }
    LOWP_REQUIRE(port || rank == 0, where + ": only inputs and outputs have a shape");
    LOWP_REQUIRE(!port || (fits && product == buffer->elements),
                 where + ": the shape does not hold " + std::to_string(buffer->elements) + " elements");
    return Status();
  }

  Status ReadCall(uint32_t index, uint32_t buffers, CallInfo* call) {
    std::string where = "program: call " + std::to_string(index);
    std::string kernel;
    LOWP_RETURN_IF_ERROR(ReadString(where, &kernel));
    LOWP_RETURN_IF_ERROR(ReadString(where, &call->name));
    where += " (" + call->name + ")";
    call->kernel = FindKernel(kernel.c_str());
    if (!call->kernel || kernel.size() != std::strlen(kernel.c_str()))
      return Unsupported(where + ": this build has no kernel named \"" + kernel + "\"");
    LOWP_RETURN_IF_ERROR(ReadOperands(where, buffers, true, &call->inputs));
    LOWP_RETURN_IF_ERROR(ReadOperands(where, buffers, false, &call->outputs));
    uint32_t bytes = 0;
    if (!reader_.ReadCount(1, &bytes)) return Truncated(where);
    const size_t expected = call->kernel->fields().size() * 4;
    LOWP_REQUIRE(bytes == expected, where + ": params of " + std::to_string(bytes) + " bytes, " + call->kernel->name +
                                        " expects " + std::to_string(expected));
    call->params.resize(bytes);
    for (size_t at = 0; at < bytes; at += 4) {
      uint32_t word = 0;
      if (!reader_.ReadWord(&word)) return Truncated(where);
      std::memcpy(call->params.data() + at, &word, 4);
    }
    return Status();
  }

  Status ReadOperands(const std::string& where, uint32_t buffers, bool optional, std::vector<uint32_t>* operands) {
    uint32_t count = 0;
    if (!reader_.ReadCount(4, &count)) return Truncated(where);
    LOWP_REQUIRE(count <= kMaxOperands, where + ": " + std::to_string(count) + " operands are too many");
    operands->resize(count);
    for (uint32_t& id : *operands) {
      reader_.ReadWord(&id);
      LOWP_REQUIRE(id < buffers || (optional && id == kNoIndex), where + ": there is no buffer " + std::to_string(id));
    }
    return Status();
  }

  ByteReader reader_;
  Span<const Span<const uint8_t>> constants_;
  std::vector<std::string> strings_;
};

}  // namespace

Result<DecodedProgram> DecodeProgram(Span<const uint8_t> bytes, Span<const Span<const uint8_t>> constants) {
  DecodedProgram program;
  const Status decoded = Decoder(bytes, constants).Decode(&program);
  if (!decoded.ok()) return decoded;
  const Status flow = CheckDataFlow(program);
  if (!flow.ok()) return flow;
  return program;
}

}  // namespace lowp
