// Checks, preparation and tiling of `matmul_s16`.
#include "kernels/matmul_s16/matmul_s16.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "kernels/common/epilogue_operands.h"
#include "kernels/matmul_s16/pack.h"
#include "kernels/prepare_call.h"
#include "kernels/row.h"

namespace lowp {
namespace {

// Rows of a tile: its x and one panel stay in the second-level cache.
constexpr size_t kBlockRows = 64;

constexpr Row<MatmulS16Rows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(matmul_s16_vnni_4x32, kVnni),
    LOWP_ROW(matmul_s16_avx512_4x32, kAvx512),
    LOWP_ROW(matmul_s16_avx2_4x16, kAvx2),
#endif
    LOWP_ROW(matmul_s16_scalar_1x8, kScalar),
};

// A constant with one element for each output channel.
Status ValidateChannels(const char* name, const Operand& operand, ElementType type, uint64_t count) {
  LOWP_REQUIRE(operand.Is(type, count) && operand.constant != nullptr,
               std::string("matmul_s16: ") + name + " must be a constant of " + std::to_string(count) +
                   " elements, f32 for f32 y, i32 for i32 y; found " + std::to_string(operand.elements) + " elements");
  return Status();
}

Status ValidateTypes(const CallView& call) {
  const Operand x = call.Input(kX), w = call.Input(kWeights), y = call.Output(0);
  LOWP_REQUIRE(x.present && w.present && y.present, "matmul_s16: x, weights and y must be present");
  if (x.type != ElementType::kI16 || w.type != ElementType::kI16 ||
      (y.type != ElementType::kF32 && y.type != ElementType::kI32))
    return Unsupported("matmul_s16: x and weights must be i16, y must be f32 or i32");
  LOWP_REQUIRE(w.constant != nullptr, "matmul_s16: weights must be a constant");
  return Status();
}

// A matrix whose bytes can be counted.
Status ValidateMatrix(const char* name, const Operand& operand, uint64_t rows, uint64_t stride) {
  uint64_t bytes = 0;
  LOWP_REQUIRE(CheckedProduct(&bytes, rows, stride, sizeof(float)), std::string(name) + " is too large");
  return ValidateElements(name, operand, rows * stride);
}

Status ValidateConstants(const CallView& call) {
  const auto& p = call.Params<MatmulS16Params>();
  const ElementType type = call.Output(0).type;
  const Operand bias = call.Input(kBias), scale = call.Input(kScale), residual = call.Input(kResidual);
  if (bias.present) LOWP_RETURN_IF_ERROR(ValidateChannels("bias", bias, type, p.n));
  if (type == ElementType::kF32) {
    LOWP_RETURN_IF_ERROR(ValidateChannels("scale", scale, type, p.n));
  } else {
    LOWP_REQUIRE(!scale.present, "matmul_s16: scale belongs to f32 y");
  }
  LOWP_REQUIRE(!residual.present || residual.Is(type, uint64_t{p.m} * p.n),
               "matmul_s16: the residual must be [m, n] of the type of y");
  return Status();
}

Status Validate(const CallView& call) {
  const auto& p = call.Params<MatmulS16Params>();
  LOWP_RETURN_IF_ERROR(ValidateTypes(call));
  LOWP_REQUIRE(p.m > 0 && p.k > 0 && p.n > 0, "matmul_s16: m, k and n must be positive");
  LOWP_REQUIRE(p.weights_transposed <= 1, "matmul_s16: weights_transposed must be 0 or 1");
  LOWP_REQUIRE(p.in_offset <= p.in_stride && p.k <= p.in_stride - p.in_offset,
               "matmul_s16: in_offset and k must fit in_stride");
  LOWP_REQUIRE(p.out_offset <= p.out_stride && p.n <= p.out_stride - p.out_offset,
               "matmul_s16: out_offset and n must fit out_stride");
  if (p.k > kMostS16Products)
    return Unsupported("matmul_s16: k must be at most " + std::to_string(kMostS16Products) + ", found " +
                       std::to_string(p.k));
  LOWP_RETURN_IF_ERROR(ValidateMatrix("x of matmul_s16", call.Input(kX), p.m, p.in_stride));
  LOWP_RETURN_IF_ERROR(ValidateMatrix("weights of matmul_s16", call.Input(kWeights), p.k, p.n));
  LOWP_RETURN_IF_ERROR(ValidateMatrix("y of matmul_s16", call.Output(0), p.m, p.out_stride));
  return ValidateConstants(call);
}

// `count` elements and kEpilogueSlack zeros; all zeros when the operand is absent.
template <class T>
AlignedPtr<T> Padded(const Operand& operand, size_t count) {
  AlignedPtr<T> copy = AllocateAligned<T>(count + kEpilogueSlack);
  if (copy && operand.present) std::memcpy(copy.get(), operand.constant, count * sizeof(T));
  return copy;
}

class MatmulS16Call final : public PreparedCall {
 public:
  Status Prepare(const CallView& call, const PrepareContext& context) {
    const auto& p = p_ = call.Params<MatmulS16Params>();
    const Row<MatmulS16Rows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    S16Weights w;
    w.data = call.Input(kWeights).constant;
    w.k = p.k;
    w.n = p.n;
    w.stride_k = p.weights_transposed ? 1 : p.n;
    w.stride_n = p.weights_transposed ? p.k : 1;
    Result<PackedS16> packed = PackS16(w, rows_->lanes, rows_->most_vectors);
    if (!packed.ok()) return packed.status();
    packed_ = std::move(packed.value());
    LOWP_RETURN_IF_ERROR(MakeConstants(call));
    tiles[0] = (p.m + kBlockRows - 1) / kBlockRows * packed_.panels.size();
    packed_bytes = packed_.bytes + 2 * (p.n + kEpilogueSlack) * sizeof(float);
    found_bytes = packed_.weights.found_bytes();
    packed_inputs = 1u << kWeights | 1u << kBias | 1u << kScale;
    operations = 2.0 * p.m * p.k * p.n;
    // A panel that ends within a vector would read what another thread writes beside it.
    if (call.Input(kResidual).present && p.out_stride == p.n && p.n % rows_->lanes == 0) inplace_input = kResidual;
    return Status();
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const size_t panels = packed_.panels.size();
    for (size_t tile = begin; tile < end; tile++) RunPanel(context, tile / panels * kBlockRows, tile % panels);
  }

 private:
  Status MakeConstants(const CallView& call) {
    floats_ = call.Output(0).type == ElementType::kF32;
    const size_t n = p_.n;
    if (floats_) {
      scale_ = Padded<float>(call.Input(kScale), n);
      bias_ = Padded<float>(call.Input(kBias), n);
    } else {
      int_bias_ = Padded<int32_t>(call.Input(kBias), n);
    }
    if (floats_ ? !scale_ || !bias_ : !int_bias_) return Status(Code::kMemory, "no memory for the bias of matmul_s16");
    epilogue_.scale = scale_.get();
    epilogue_.bias = bias_.get();
    epilogue_.residual = call.Input(kResidual).present ? ResidualKind::kF32 : ResidualKind::kNone;
    epilogue_.residual_scale = p_.residual_scale;
    epilogue_.low = p_.low;
    epilogue_.high = p_.high;
    return Status();
  }

  void RunPanel(const RunContext& context, size_t first, size_t index) const {
    const S16Panel& panel = packed_.panels[index];
    S16Task t;
    t.x = static_cast<const int16_t*>(context.inputs[kX]) + first * p_.in_stride + p_.in_offset;
    t.x_stride = p_.in_stride;
    t.m = std::min<size_t>(kBlockRows, p_.m - first);
    t.blocks = packed_.blocks.data() + panel.first_block;
    t.block_count = panel.blocks;
    t.weights = packed_.weights.get() + panel.weights;
    t.vectors = panel.vectors;
    t.n = panel.n;
    t.columns = panel.columns;
    t.epilogue = floats_ ? &epilogue_ : nullptr;
    t.bias = int_bias_.get();
    t.y = static_cast<int32_t*>(context.outputs[0]) + first * p_.out_stride + p_.out_offset + panel.n;
    t.y_stride = p_.out_stride;
    if (epilogue_.residual != ResidualKind::kNone) {
      t.residual = static_cast<const int32_t*>(context.inputs[kResidual]) + first * p_.n + panel.n;
      t.residual_stride = p_.n;
    }
    rows_->run(t);
  }

  MatmulS16Params p_{};
  const MatmulS16Rows* rows_ = nullptr;
  PackedS16 packed_;
  bool floats_ = false;
  Epilogue epilogue_;
  AlignedPtr<float> scale_, bias_;
  AlignedPtr<int32_t> int_bias_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PrepareCall<MatmulS16Call>(call, context);
}

}  // namespace

const KernelDef kernel_matmul_s16 = {"matmul_s16", MatmulS16Params::Fields, Validate, Prepare};

}  // namespace lowp
