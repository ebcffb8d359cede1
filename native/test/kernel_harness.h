// Runs one kernel call outside the runtime: validate, prepare, all phases, tiles cut in uneven pieces.
// Every operand ends right before a guard that detects writes behind it; outputs that are not inputs as well, and
// inputs that a call reads in place, end where no page follows.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "base/aligned.h"
#include "kernels/kernel.h"
#include "page_end.h"

namespace lowp::test {

class Buffer {
 public:
  template <class T>
  static Buffer Of(ElementType type, const std::vector<T>& values) {
    Buffer b(type, values.size());
    if (!values.empty()) std::memcpy(b.data(), values.data(), values.size() * sizeof(T));
    return b;
  }
  static Buffer F32(const std::vector<float>& v) { return Of(ElementType::kF32, v); }
  static Buffer U8(const std::vector<uint8_t>& v) { return Of(ElementType::kU8, v); }
  static Buffer I8(const std::vector<int8_t>& v) { return Of(ElementType::kI8, v); }
  static Buffer Absent() { return Buffer(); }

  Buffer() = default;
  Buffer(ElementType type, size_t elements) : present_(true), type_(type), elements_(elements) {
    storage_ = AllocateAligned<uint8_t>(bytes());  // kReadSlack included
    std::memset(storage_.get() + bytes(), 0xA5, kReadSlack);
  }

  uint8_t* data() const { return storage_.get(); }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(storage_.get());
  }
  template <class T>
  std::vector<T> to_vector() const {
    return std::vector<T>(as<T>(), as<T>() + elements_);
  }
  size_t bytes() const { return elements_ * SizeOf(type_); }
  bool guard_intact() const {
    for (size_t i = 0; present_ && i < kReadSlack; i++)
      if (storage_[bytes() + i] != 0xA5) return false;
    return true;
  }
  Operand operand(bool constant) const {
    Operand o;
    o.present = present_;
    o.type = type_;
    o.elements = elements_;
    o.constant = constant ? storage_.get() : nullptr;
    return o;
  }
  bool present() const { return present_; }

 private:
  bool present_ = false;
  ElementType type_ = ElementType::kF32;
  size_t elements_ = 0;
  AlignedPtr<uint8_t> storage_;
};

struct CallSpec {
  const KernelDef* kernel = nullptr;
  const void* params = nullptr;
  std::vector<const Buffer*> inputs;
  std::vector<bool> constant;  // by input; missing entries are false
  std::vector<const Buffer*> outputs;
};

inline Status Validate(const CallSpec& spec, std::vector<Operand>* ins, std::vector<Operand>* outs, CallView* view) {
  for (size_t i = 0; i < spec.inputs.size(); i++)
    ins->push_back(spec.inputs[i]->operand(i < spec.constant.size() && spec.constant[i]));
  for (const Buffer* b : spec.outputs) outs->push_back(b->operand(false));
  view->params = spec.params;
  view->inputs = Span<const Operand>(ins->data(), ins->size());
  view->outputs = Span<const Operand>(outs->data(), outs->size());
  return spec.kernel->validate(*view);
}

// The status of validate() alone, for tests of bad calls.
inline Status ValidateOnly(const CallSpec& spec) {
  std::vector<Operand> ins, outs;
  CallView view;
  return Validate(spec, &ins, &outs, &view);
}

// Runs the call on `isa`, by the row of a name if it fits, and returns the name of the row; fails the test on an
// error or a write behind an output. A call that accumulates runs `runs` times.
inline std::string RunCall(const CallSpec& spec, Isa isa, unsigned seed = 1, const char* force_row = nullptr,
                           std::string* fault_text = nullptr, int runs = 1) {
  std::vector<Operand> ins, outs;
  CallView view;
  Status status = Validate(spec, &ins, &outs, &view);
  EXPECT_TRUE(status.ok()) << status.message();
  if (!status.ok()) return "";
  PrepareContext context;
  context.isa = isa;
  context.threads = 2;
  context.l2_bytes = seed % 2 == 0 ? 1 << 20 : 128 << 10;  // small ones cut deep products into more blocks
  context.force_row = force_row;
  Result<PreparedPtr> prepared = spec.kernel->prepare(view, context);
  EXPECT_TRUE(prepared.ok()) << prepared.status().message();
  if (!prepared.ok()) return "";
  PreparedCall& call = *prepared.value();
  std::vector<const void*> in;
  std::vector<void*> out;
  std::vector<std::unique_ptr<PageEnd>> ends(spec.outputs.size());
  const auto among = [](const Buffer* b, const std::vector<const Buffer*>& all) {
    return std::find(all.begin(), all.end(), b) != all.end();
  };
  for (const Buffer* b : spec.inputs) in.push_back(b->present() ? b->data() : nullptr);
  for (size_t i = 0; i < ends.size(); i++) {
    const Buffer* b = spec.outputs[i];
    if (!among(b, spec.inputs)) ends[i] = std::make_unique<PageEnd>(b->data(), b->bytes());
    out.push_back(ends[i] ? ends[i]->data() : b->data());
  }
  std::unique_ptr<PageEnd> first;
  if (call.reads_in_place && !among(spec.inputs[0], spec.outputs)) {
    first = std::make_unique<PageEnd>(spec.inputs[0]->data(), spec.inputs[0]->bytes());
    in[0] = first->data();
  }
  auto shared = AllocateAligned<uint8_t>(call.shared_bytes + 64);
  auto scratch = AllocateAligned<uint8_t>(call.scratch_bytes + 64);
  std::memset(scratch.get(), 0xCD, call.scratch_bytes);
  std::memset(shared.get(), 0xCD, call.shared_bytes);
  Fault fault;
  RunContext run{in.data(), out.data(), shared.get(), scratch.get(), &fault};
  std::mt19937 random(seed);
  if (call.accumulates) call.Reset(run);
  for (int i = 0; i < runs; i++)
    for (size_t phase = 0; phase < call.phases; phase++) {
      size_t begin = 0;
      while (begin < call.tiles[phase]) {
        size_t end = std::min<size_t>(call.tiles[phase], begin + 1 + random() % 5);
        call.Run(run, phase, begin, end);
        begin = end;
      }
    }
  for (size_t i = 0; i < ends.size(); i++) {
    if (ends[i]) ends[i]->CopyTo(spec.outputs[i]->data());
    const bool intact = ends[i] ? ends[i]->rest_intact() : spec.outputs[i]->guard_intact();
    EXPECT_TRUE(intact) << "write behind an output";
  }
  const bool failed = fault.position() != Fault::kNone;
  if (fault_text) *fault_text = failed ? call.Describe(run, fault.position()) : "";
  EXPECT_TRUE(fault_text || !failed) << call.Describe(run, fault.position());
  return call.row;
}

// The levels this machine can run, scalar first.
inline std::vector<Isa> RunnableIsas() {
  std::vector<Isa> all;
  for (Isa isa : kIsas)
    if (HighestIsa(isa) == isa && isa <= ActiveIsa()) all.push_back(isa);
  return all;
}

}  // namespace lowp::test
