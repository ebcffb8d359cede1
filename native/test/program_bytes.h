// Writes program bytes for tests, in the layout of lib/program/serialize.ts.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/span.h"
#include "kernels/kernel.h"
#include "program/format.h"

namespace lowp::test {

// The words of a kernel's params; those that are not named are 0.
inline std::vector<uint32_t> ParamsOf(const char* kernel, const std::vector<std::pair<const char*, uint32_t>>& values) {
  const Span<const ParamField> fields = FindKernel(kernel)->fields();
  std::vector<uint32_t> params(fields.size());
  for (const auto& [name, value] : values)
    for (size_t i = 0; i < params.size(); i++)
      if (std::strcmp(fields[i].name, name) == 0) params[i] = value;
  return params;
}

class ProgramBytes {
 public:
  uint32_t Port(BufferKind kind, const std::string& name, ElementType type, std::vector<uint32_t> shape) {
    uint32_t elements = 1;
    for (const uint32_t size : shape) elements *= size;
    AddBuffer({static_cast<uint32_t>(kind), static_cast<uint32_t>(type), elements, 0, String(name), kNoIndex});
    body_.push_back(static_cast<uint32_t>(shape.size()));
    body_.insert(body_.end(), shape.begin(), shape.end());
    return buffers_++;
  }
  uint32_t Temporary(ElementType type, uint32_t elements) {
    AddBuffer({static_cast<uint32_t>(BufferKind::kTemporary), static_cast<uint32_t>(type), elements, 0, kNoIndex, kNoIndex, 0});
    return buffers_++;
  }
  uint32_t Constant(ElementType type, uint32_t elements, uint32_t index) {
    AddBuffer({static_cast<uint32_t>(BufferKind::kConstant), static_cast<uint32_t>(type), elements, 0, kNoIndex, index, 0});
    return buffers_++;
  }
  void Call(const std::string& kernel, const std::string& name, const std::vector<uint32_t>& inputs,
            const std::vector<uint32_t>& outputs, const std::vector<uint32_t>& params) {
    calls_.push_back(String(kernel));
    calls_.push_back(String(name));
    Append(inputs.size(), inputs);
    Append(outputs.size(), outputs);
    Append(params.size() * 4, params);
    call_count_++;
  }
  // Fills buffer `output` of `elements` f32 elements.
  void Fill(uint32_t output, uint32_t elements, float value) {
    uint32_t bits = 0;
    std::memcpy(&bits, &value, 4);
    Call("fill", "fill " + std::to_string(call_count_), {}, {output}, {elements, bits});
  }

  std::vector<uint8_t> Finish() const {
    std::vector<uint32_t> words = {kProgramMagic, kProgramVersion, static_cast<uint32_t>(strings_.size()), buffers_, call_count_};
    for (const std::string& text : strings_) {
      words.push_back(static_cast<uint32_t>(text.size()));
      const size_t at = words.size();
      words.resize(at + (text.size() + 3) / 4);
      if (!text.empty()) std::memcpy(words.data() + at, text.data(), text.size());
    }
    words.insert(words.end(), body_.begin(), body_.end());
    words.insert(words.end(), calls_.begin(), calls_.end());
    std::vector<uint8_t> bytes(words.size() * 4);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return bytes;
  }

 private:
  void AddBuffer(std::vector<uint32_t> words) { body_.insert(body_.end(), words.begin(), words.end()); }
  void Append(size_t count, const std::vector<uint32_t>& words) {
    calls_.push_back(static_cast<uint32_t>(count));
    calls_.insert(calls_.end(), words.begin(), words.end());
  }
  uint32_t String(const std::string& text) {
    for (size_t i = 0; i < strings_.size(); i++)
      if (strings_[i] == text) return static_cast<uint32_t>(i);
    strings_.push_back(text);
    return static_cast<uint32_t>(strings_.size() - 1);
  }

  std::vector<std::string> strings_;
  std::vector<uint32_t> body_;
  std::vector<uint32_t> calls_;
  uint32_t buffers_ = 0;
  uint32_t call_count_ = 0;
};

}  // namespace lowp::test
