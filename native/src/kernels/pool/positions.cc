// Checks, prepares and runs `max_positions` (positions.h).
#include "kernels/pool/positions.h"

#include <new>

#include "kernels/pool/positions_row.h"
#include "kernels/pool/window.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr Row<PositionsRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(max_positions_avx512_1x16, kAvx512),
    LOWP_ROW(max_positions_avx2_1x16, kAvx2),
#endif
    LOWP_ROW(max_positions_scalar_1x16, kScalar),
};

PoolWindow WindowOf(const MaxPositionsParams& p) {
  return {{p.in_d, p.out_d, p.kernel_d, p.stride_d, p.dilation_d, p.pad_front, 0},
          {p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_top, 0},
          {p.in_w, p.out_w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_left, 0}};
}

Status ValidateTypes(const CallView& call) {
  const Operand x = call.Input(0), y = call.Output(0), positions = call.Output(1);
  LOWP_REQUIRE(call.inputs.size() == 1 && call.outputs.size() == 2 && x.present && y.present && positions.present,
               "max_positions: expected one input and two outputs");
  LOWP_REQUIRE(x.type == y.type && (x.type == ElementType::kF32 || x.type == ElementType::kU8),
               "max_positions: x and y must be f32, or both u8");
  LOWP_REQUIRE(positions.type == ElementType::kI32 || positions.type == ElementType::kI64,
               "max_positions: the positions must be i32 or i64");
  return Status();
}

bool HasElements(const Operand& operand, uint32_t batch, uint32_t d, uint32_t h, uint32_t w, uint32_t stride) {
  uint64_t elements = 0;
  return CheckedProduct(&elements, batch, d, h, w, stride) && elements == operand.elements;
}

Status Validate(const CallView& call) {
  const MaxPositionsParams& p = call.Params<MaxPositionsParams>();
  LOWP_RETURN_IF_ERROR(ValidateTypes(call));
  LOWP_REQUIRE(p.batch > 0 && p.channels > 0, "max_positions: batch and channels must be positive");
  LOWP_REQUIRE(p.in_stride >= p.channels && p.out_offset <= p.out_stride && p.channels <= p.out_stride - p.out_offset,
               "max_positions: the channels must fit in_stride, and out_stride behind out_offset");
  LOWP_RETURN_IF_ERROR(WindowOf(p).Validate("max_positions"));
  LOWP_REQUIRE(HasElements(call.Input(0), p.batch, p.in_d, p.in_h, p.in_w, p.in_stride) &&
                   HasElements(call.Output(0), p.batch, p.out_d, p.out_h, p.out_w, p.out_stride) &&
                   HasElements(call.Output(1), p.batch, p.out_d, p.out_h, p.out_w, p.channels),
               "max_positions: x, y or the positions have another size than the params");
  uint64_t volume = 0, images = 0, channels = 0, last = 0;
  const bool fits = CheckedProduct(&volume, p.in_d, p.in_h, p.in_w) &&
                    CheckedProduct(&images, p.batch - 1, p.batch_step) &&
                    CheckedProduct(&channels, p.channels - 1, p.channel_step) &&
                    !__builtin_add_overflow(images, channels, &last) && !__builtin_add_overflow(last, volume, &last);
  LOWP_REQUIRE(p.period > 0 && p.period <= volume, "max_positions: the period must be 1 to in_d * in_h * in_w");
  if (!fits || last > uint64_t{INT32_MAX}) return Unsupported("max_positions: positions must be below 2^31");
  return Status();
}

class PreparedPositions final : public PreparedCall {
 public:
  PreparedPositions(const CallView& call, PoolSpans spans, const PrepareContext& context)
      : spans_(std::move(spans)), p_(call.Params<MaxPositionsParams>()) {
    const Row<PositionsRows>& chosen = SelectRow(kRows, context);
    row = chosen.name;
    const bool is_float = call.Input(0).type == ElementType::kF32, is_wide = call.Output(1).type == ElementType::kI64;
    function_ = is_float ? (is_wide ? chosen.run->f32_i64 : chosen.run->f32_i32)
                         : (is_wide ? chosen.run->u8_i64 : chosen.run->u8_i32);
    const size_t size = SizeOf(call.Input(0).type);
    out_row_ = size_t{p_.out_w} * p_.out_stride * size;
    out_offset_ = p_.out_offset * size;
    positions_row_ = size_t{p_.out_w} * p_.channels * SizeOf(call.Output(1).type);
    task_.channels = p_.channels;
    task_.out_w = p_.out_w;
    task_.columns = spans_.columns.get();
    task_.in_pixel = p_.in_stride * size;
    task_.in_row = task_.in_pixel * p_.in_w;
    task_.in_plane = task_.in_row * p_.in_h;
    task_.out_pixel = p_.out_stride * size;
    task_.in_h = p_.in_h;
    task_.in_w = p_.in_w;
    task_.dilation_d = p_.dilation_d;
    task_.dilation_h = p_.dilation_h;
    task_.dilation_w = p_.dilation_w;
    task_.channel_step = p_.channel_step;
    task_.period = p_.period;
    task_.is_whole = uint64_t{p_.period} == uint64_t{p_.in_d} * p_.in_h * p_.in_w;
    tiles[0] = size_t{p_.batch} * p_.out_d * p_.out_h;
    operations = static_cast<double>(tiles[0]) * p_.out_w * p_.channels *
                 (static_cast<double>(p_.kernel_d) * p_.kernel_h * p_.kernel_w);
    packed_bytes = (size_t{p_.out_d} + p_.out_h + p_.out_w) * sizeof(PoolSpan);
  }

  // A tile is a row of output pixels.
  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    PositionsTask task = task_;
    for (size_t tile = begin; tile < end; tile++) {
      const size_t plane = tile / p_.out_h, image = plane / p_.out_d;
      task.plane = spans_.planes[plane % p_.out_d];
      task.row = spans_.rows[tile % p_.out_h];
      task.base = static_cast<uint32_t>(image * p_.batch_step);
      task.x = static_cast<const uint8_t*>(context.inputs[0]) + image * task.in_plane * p_.in_d;
      task.y = static_cast<uint8_t*>(context.outputs[0]) + tile * out_row_ + out_offset_;
      task.positions = static_cast<uint8_t*>(context.outputs[1]) + tile * positions_row_;
      function_(task);
    }
  }

 private:
  PoolSpans spans_;
  MaxPositionsParams p_;
  PositionsFunction function_ = nullptr;
  PositionsTask task_;
  size_t out_row_ = 0, out_offset_ = 0, positions_row_ = 0;  // bytes
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  PoolSpans spans = WindowOf(call.Params<MaxPositionsParams>()).Spans(false);
  const Status memory(Code::kMemory, "max_positions: out of memory");
  if (!spans.planes || !spans.rows || !spans.columns) return memory;
  PreparedPtr prepared(new (std::nothrow) PreparedPositions(call, std::move(spans), context));
  if (!prepared) return memory;
  return prepared;
}

}  // namespace

const KernelDef kernel_max_positions = {"max_positions", MaxPositionsParams::Fields, Validate, Prepare};

}  // namespace lowp
