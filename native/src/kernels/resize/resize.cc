// Checks, preparation and tiling of `resize`.
#include "kernels/resize/resize.h"

#include <cstring>
#include <string>
#include <vector>

#include "kernels/prepare_call.h"
#include "kernels/resize/rows.h"
#include "kernels/row.h"

namespace lowp {
namespace {

enum ResizeOperand : size_t { kX = 0, kRows = 1, kColumns = 2, kRowWeights = 3, kColumnWeights = 4 };

constexpr Row<ResizeRows> kRowTable[] = {
#if defined(__x86_64__)
    LOWP_ROW(resize_f32_avx512_16, kAvx512),
    LOWP_ROW(resize_f32_avx2_8, kAvx2),
#endif
    LOWP_ROW(resize_f32_scalar, kScalar),
};

int32_t PositionAt(const Operand& positions, size_t i) {
  int32_t position = 0;
  std::memcpy(&position, static_cast<const uint8_t*>(positions.constant) + i * sizeof(position), sizeof(position));
  return position;
}

Status ValidateAxis(const std::string& axis, const Operand& positions, const Operand& weights, uint32_t in, uint32_t out,
                    uint32_t taps) {
  LOWP_REQUIRE(in > 0 && out > 0 && taps > 0, "resize: sizes and taps of the " + axis + " must be positive");
  const uint64_t count = uint64_t{out} * taps;
  LOWP_REQUIRE(positions.Is(ElementType::kI32, count) && positions.constant,
               "resize: positions of the " + axis + " must be constant i32[size * taps]");
  LOWP_REQUIRE(taps == 1 ? !weights.present : weights.Is(ElementType::kF32, count) && weights.constant,
               "resize: weights of the " + axis + " must be constant f32[size * taps], absent with one tap");
  for (size_t i = 0; i < count; i++) {
    const int32_t position = PositionAt(positions, i);
    LOWP_REQUIRE(position >= 0 && static_cast<uint32_t>(position) < in,
                 "resize: position " + std::to_string(position) + " of the " + axis + " is outside of the input");
  }
  return Status();
}

Status Validate(const CallView& call) {
  const auto& p = call.Params<ResizeParams>();
  const Operand x = call.Input(kX), y = call.Output(0);
  uint64_t from = 0, to = 0, bytes = 0;
  LOWP_REQUIRE(p.batch > 0 && p.channels > 0, "resize: batch and channels must be positive");
  LOWP_REQUIRE(p.out_offset <= p.out_stride && p.channels <= p.out_stride - p.out_offset,
               "resize: out_offset and the channels must fit out_stride");
  LOWP_REQUIRE(CheckedProduct(&from, p.batch, p.in_height, p.in_width, p.channels) &&
                   CheckedProduct(&to, p.batch, p.out_height, p.out_width, p.out_stride) &&
                   CheckedMul(from, sizeof(float), &bytes) && CheckedMul(to, sizeof(float), &bytes),
               "resize: sizes overflow");
  LOWP_REQUIRE(x.Is(ElementType::kF32, from) || x.Is(ElementType::kU8, from),
               "resize: x must be f32 or u8[batch * in_height * in_width * channels]");
  LOWP_REQUIRE(y.Is(x.type, to), "resize: y must have the type of x and batch * out_height * out_width * out_stride elements");
  LOWP_REQUIRE(x.type == ElementType::kF32 || (p.row_taps == 1 && p.column_taps == 1), "resize: u8 has one tap");
  LOWP_RETURN_IF_ERROR(
      ValidateAxis("rows", call.Input(kRows), call.Input(kRowWeights), p.in_height, p.out_height, p.row_taps));
  return ValidateAxis("columns", call.Input(kColumns), call.Input(kColumnWeights), p.in_width, p.out_width, p.column_taps);
}

// Where the elements of an output position are, and what they count.
struct Axis {
  size_t taps = 0;
  std::vector<size_t> offsets;
  std::vector<float> weights;

  void Set(const Operand& positions, const Operand& values, size_t tap_count, size_t distance) {
    taps = tap_count;
    offsets.resize(positions.elements);
    for (size_t i = 0; i < offsets.size(); i++)
      offsets[i] = static_cast<size_t>(PositionAt(positions, i)) * distance;
    weights.resize(values.present ? values.elements : 0);
    if (!weights.empty()) std::memcpy(weights.data(), values.constant, weights.size() * sizeof(float));
  }
  size_t Bytes() const { return offsets.size() * sizeof(size_t) + weights.size() * sizeof(float); }
};

// A tile is one row of the output.
class ResizeCall final : public PreparedCall {
 public:
  Status Prepare(const CallView& call, const PrepareContext& context) {
    p_ = call.Params<ResizeParams>();
    const Row<ResizeRows>& chosen = SelectRow(kRowTable, context);
    run_ = chosen.run;
    const bool moves = p_.row_taps == 1 && p_.column_taps == 1;
    row = moves ? "resize_move" : chosen.name;
    size_ = SizeOf(call.Input(kX).type);
    rows_.Set(call.Input(kRows), call.Input(kRowWeights), p_.row_taps, size_t{p_.in_width} * p_.channels);
    columns_.Set(call.Input(kColumns), call.Input(kColumnWeights), p_.column_taps, p_.channels);
    packed_bytes = rows_.Bytes() + columns_.Bytes();
    packed_inputs = 1u << kRows | 1u << kColumns | 1u << kRowWeights | 1u << kColumnWeights;
    tiles[0] = size_t{p_.batch} * p_.out_height;
    if (p_.row_taps > 1) scratch_bytes = size_t{p_.in_width} * p_.channels * sizeof(float);
    const double down = p_.row_taps > 1 ? 2.0 * p_.row_taps * p_.in_width : 0;
    const double across = p_.column_taps > 1 ? 2.0 * p_.column_taps * p_.out_width : 0;
    operations = moves ? static_cast<double>(call.Output(0).elements)
                       : (down + across) * p_.channels * static_cast<double>(tiles[0]);
    return Status();
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const size_t image = size_t{p_.in_height} * p_.in_width * p_.channels;
    for (size_t tile = begin; tile < end; tile++) {
      const uint8_t* x = static_cast<const uint8_t*>(context.inputs[kX]) + tile / p_.out_height * image * size_;
      const size_t first = tile * p_.out_width * p_.out_stride + p_.out_offset;
      const uint8_t* source = RowOf(x, tile % p_.out_height, reinterpret_cast<float*>(context.scratch));
      OutputRow(source, static_cast<uint8_t*>(context.outputs[0]) + first * size_);
    }
  }

 private:
  // The line t of resize.h.
  const uint8_t* RowOf(const uint8_t* x, size_t h, float* scratch) const {
    if (rows_.taps == 1) return x + rows_.offsets[h] * size_;
    ResizeTask task;
    task.x = reinterpret_cast<const float*>(x);
    task.offsets = rows_.offsets.data() + h * rows_.taps;
    task.weights = rows_.weights.data() + h * rows_.taps;
    task.taps = rows_.taps;
    task.count = 1;
    task.n = size_t{p_.in_width} * p_.channels;
    task.y = scratch;
    run_->blend(task);
    return reinterpret_cast<const uint8_t*>(scratch);
  }

  void OutputRow(const uint8_t* source, uint8_t* y) const {
    if (columns_.taps == 1) {
      const size_t pixel = p_.channels * size_, stride = p_.out_stride * size_;
      for (size_t w = 0; w < p_.out_width; w++) std::memcpy(y + w * stride, source + columns_.offsets[w] * size_, pixel);
      return;
    }
    ResizeTask task;
    task.x = reinterpret_cast<const float*>(source);
    task.offsets = columns_.offsets.data();
    task.weights = columns_.weights.data();
    task.taps = columns_.taps;
    task.count = p_.out_width;
    task.n = p_.channels;
    task.y = reinterpret_cast<float*>(y);
    task.stride = p_.out_stride;
    run_->blend(task);
  }

  ResizeParams p_ = {};
  const ResizeRows* run_ = nullptr;
  size_t size_ = 0;
  Axis rows_, columns_;
};

}  // namespace

const KernelDef kernel_resize = {"resize", ResizeParams::Fields, Validate, PrepareCall<ResizeCall>};

}  // namespace lowp
