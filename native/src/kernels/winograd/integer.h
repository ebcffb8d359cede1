// Convolutions of bytes by Winograd's minimal filtering, in exact integers: `convolution` takes it where the CPU has no
// products of bytes that cannot saturate, as the products of 16-bit windows and weights are fewer than those of bytes.
//
// With the matrices of winograd_convolution.h, v = B' d B of bytes d (in_zero_point outside of x) and u = (2 G) w (2 G)' are s16,
// |v| <= 1020 and |u| <= 1152; A' (sum over c of v * u) A is four times the sum over taps of d * w, in s32 as long as
// there are at most kMostWinogradChannels channels of x. Results have the same bits as those of any other row.
#pragma once
#include "kernels/common/epilogue_operands.h"
#include "kernels/winograd/shape.h"

namespace lowp {

constexpr uint32_t kMostWinogradChannels = 1824;  // 4 * 9 * 255 * 128 each, together less than 2^31

// u8 x against s8 weights.
struct ByteConvolution {
  WinogradShape shape;
  uint32_t in_zero_point = 0;
  EpilogueSettings settings;
};

// Null when the call is not prepared this way: the instruction set has something faster, or the sizes do not suit.
Result<PreparedPtr> PrepareIntegerWinograd(const CallView& call, const PrepareContext& context,
                                           const ByteConvolution& problem);

}  // namespace lowp
