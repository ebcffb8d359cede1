// Checks and runs `ctc_greedy` (ctc_greedy.h): one tile for each sequence.
#include "kernels/ctc_greedy/ctc_greedy.h"

#include "kernels/prepare_call.h"

namespace lowp {
namespace {

bool IsIndex(ElementType type) { return type == ElementType::kI32 || type == ElementType::kI64; }

Status Validate(const CallView& call) {
  const CtcGreedyParams& p = call.Params<CtcGreedyParams>();
  const Operand scores = call.Input(0), lengths = call.Input(1), labels = call.Output(0), counts = call.Output(1);
  LOWP_REQUIRE(call.inputs.size() == 2 && (call.outputs.size() == 1 || call.outputs.size() == 2) && labels.present,
               "ctc_greedy: expected two inputs, and one or two outputs");
  LOWP_REQUIRE(p.merge <= 1 && p.masked <= 1, "ctc_greedy: merge and masked must be 0 or 1");
  LOWP_REQUIRE(p.batch >= 1 && p.steps >= 1 && p.classes >= 1, "ctc_greedy: expected steps and classes");
  uint64_t places = 0, sequence = 0, step = 0, last = 0;
  LOWP_REQUIRE(CheckedProduct(&places, p.batch, p.steps) && CheckedProduct(&sequence, p.batch - 1, p.sequence_stride) &&
                   CheckedProduct(&step, p.steps - 1, p.step_stride) &&
                   !__builtin_add_overflow(sequence, step, &last) && !__builtin_add_overflow(last, p.classes, &last) &&
                   scores.present && scores.type == ElementType::kF32 && last <= scores.elements,
               "ctc_greedy: the scores must be f32 and hold every class of every step");
  LOWP_REQUIRE(p.masked ? lengths.Is(ElementType::kF32, places)
                        : lengths.present && IsIndex(lengths.type) && lengths.elements == p.batch,
               "ctc_greedy: expected lengths i32 or i64 [batch], or a mask f32 [steps, batch]");
  LOWP_REQUIRE((labels.type == ElementType::kF32 || IsIndex(labels.type)) && labels.elements == places,
               "ctc_greedy: expected labels f32, i32 or i64 [batch, steps]");
  LOWP_REQUIRE(!counts.present || (IsIndex(counts.type) && counts.elements == p.batch),
               "ctc_greedy: expected counts i32 or i64 [batch]");
  return Status();
}

uint32_t Largest(const float* scores, uint32_t count) {
  uint32_t best = 0;
  for (uint32_t c = 1; c < count; c++)
    if (scores[c] > scores[best]) best = c;
  return best;
}

class PreparedCtcGreedy final : public PreparedCall {
 public:
  explicit PreparedCtcGreedy(const CallView& call)
      : p_(call.Params<CtcGreedyParams>()),
        length_type_(call.Input(1).type),
        label_type_(call.Output(0).type),
        has_counts_(call.Output(1).present),
        count_type_(call.Output(1).type) {
    tiles[0] = p_.batch;
    operations = static_cast<double>(p_.batch) * p_.steps * p_.classes;
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    for (size_t n = begin; n < end; n++) {
      int64_t length = p_.masked ? Unmasked(static_cast<const float*>(context.inputs[1]), n) : Given(context, n);
      if (length < 0 || length > int64_t{p_.steps}) {
        context.fault->Report(n);
        length = 0;
      }
      const uint32_t steps = static_cast<uint32_t>(length);
      switch (label_type_) {
        case ElementType::kF32: Decode<float>(context, n, steps); break;
        case ElementType::kI32: Decode<int32_t>(context, n, steps); break;
        default: Decode<int64_t>(context, n, steps);
      }
    }
  }

  std::string Describe(const RunContext& context, uint64_t n) const override {
    return "sequence " + std::to_string(n) + " has the length " + std::to_string(Given(context, n)) +
           ", expected 0 to " + std::to_string(p_.steps);
  }

 private:
  int64_t Given(const RunContext& context, size_t n) const {
    return length_type_ == ElementType::kI64 ? static_cast<const int64_t*>(context.inputs[1])[n]
                                             : static_cast<const int32_t*>(context.inputs[1])[n];
  }

  int64_t Unmasked(const float* mask, size_t n) const {
    size_t steps = 0;
    while (steps < p_.steps && mask[steps * p_.batch + n] != 0.0f) steps++;
    return static_cast<int64_t>(steps);
  }

  template <class Label>
  void Decode(const RunContext& context, size_t n, uint32_t steps) const {
    const float* scores = static_cast<const float*>(context.inputs[0]) + n * p_.sequence_stride;
    Label* labels = static_cast<Label*>(context.outputs[0]) + n * p_.steps;
    size_t count = 0;
    int64_t previous = -1;
    for (uint32_t t = 0; t < steps; t++) {
      const int64_t label = Largest(scores + size_t{t} * p_.step_stride, p_.classes);
      if (label != p_.blank && !(p_.merge && label == previous)) labels[count++] = static_cast<Label>(label);
      previous = label;
    }
    for (size_t i = count; i < p_.steps; i++) labels[i] = static_cast<Label>(-1);
    if (!has_counts_) return;
    if (count_type_ == ElementType::kI64) {
      static_cast<int64_t*>(context.outputs[1])[n] = static_cast<int64_t>(count);
    } else {
      static_cast<int32_t*>(context.outputs[1])[n] = static_cast<int32_t>(count);
    }
  }

  CtcGreedyParams p_;
  ElementType length_type_, label_type_;
  bool has_counts_;
  ElementType count_type_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedCtcGreedy>("ctc_greedy", call);
}

}  // namespace

const KernelDef kernel_ctc_greedy = {"ctc_greedy", CtcGreedyParams::Fields, Validate, Prepare};

}  // namespace lowp
