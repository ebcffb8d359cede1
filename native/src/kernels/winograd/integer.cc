// Preparation and running of convolutions of bytes by Winograd.
#include "kernels/winograd/integer.h"

#include <cstring>
#include <utility>

#include "kernels/winograd/call.h"
#include "kernels/winograd/integer_rows.h"

namespace lowp {
namespace {

constexpr uint32_t kLeastInputs = 24, kLeastOutputs = 8;  // below, the transformations cost what the products save
constexpr size_t kLeastTiles = 16;

bool Suits(const WinogradShape& s) {
  return s.IsPaddedByTwoAtMost() && s.in_c >= kLeastInputs && s.in_c <= kMostWinogradChannels &&
         s.out_c >= kLeastOutputs && s.tiles() >= kLeastTiles;
}

// The row of the instruction set in force, where that has no products of bytes that cannot saturate.
const WinogradByteRow* SelectRow(const PrepareContext& context) {
  const WinogradByteRow* row = nullptr;
#if defined(__x86_64__)
  if (context.isa == Isa::kAvx512) row = &winograd_u8s8_avx512_6x64;
  if (context.isa == Isa::kAvx2) row = &winograd_u8s8_avx2_6x16;
#endif
  const bool other = row && context.force_row && std::strcmp(row->name, context.force_row) != 0;
  return other ? nullptr : row;
}

// What x as unsigned bytes, and padding, add to the sums over taps. Null when memory is exhausted.
AlignedPtr<int32_t> InitialSums(const int8_t* w, const ByteConvolution& problem) {
  const size_t depth = size_t{problem.shape.in_c} * kWinogradTaps;
  AlignedPtr<int32_t> initial = AllocateAligned<int32_t>(problem.shape.out_c + kEpilogueSlack);
  for (size_t n = 0; initial && n < problem.shape.out_c; n++) {
    int32_t sum = 0;
    for (size_t i = 0; i < depth; i++) sum += w[n * depth + i];
    initial[n] = -static_cast<int32_t>(problem.in_zero_point) * sum;
  }
  return initial;
}

}  // namespace

Result<PreparedPtr> PrepareIntegerWinograd(const CallView& call, const PrepareContext& context,
                                           const ByteConvolution& problem) {
  const WinogradByteRow* row = Suits(problem.shape) ? SelectRow(context) : nullptr;
  if (!row) return PreparedPtr();
  const WinogradTaps taps{call.Input(kWeights).constant, problem.shape.in_c, problem.shape.out_c};
  WinogradParts<uint8_t, int16_t, int32_t> parts;
  parts.transform_input = row->transform_input;
  parts.transform_output = row->transform_output;
  parts.gemm = row->gemm;
  parts.weights = TransformIntegerWeights(taps, *row->gemm);
  parts.outside = AllocateAligned<uint8_t>(taps.in_c);
  parts.initial = InitialSums(static_cast<const int8_t*>(taps.weights), problem);
  if (!parts.outside || !parts.initial) return Status(Code::kMemory, "no memory for a pixel and the sums of weights");
  std::memset(parts.outside.get(), static_cast<int>(problem.in_zero_point), taps.in_c);
  parts.accumulator_limit = 255.0 * 128.0 * kWinogradTaps * problem.shape.in_c;
  parts.reads_whole_vectors = true;
  auto prepared = std::make_unique<WinogradCall<uint8_t, int16_t, int32_t>>();
  LOWP_RETURN_IF_ERROR(prepared->Prepare(call, context, problem.shape, problem.settings, std::move(parts)));
  prepared->row = row->name;
  return PreparedPtr(std::move(prepared));
}

}  // namespace lowp
