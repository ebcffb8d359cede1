// Depthwise rows of AVX-512 VNNI: u8 x s8 products of 4 taps at once on 64 or 32 channels.
#if defined(__x86_64__)
#include "kernels/depthwise/integer_rows.h"

namespace lowp {
namespace {

// In assembly because gcc 12 copies accumulators of the intrinsics.
LOWP_INLINE __m512i Dot(__m512i acc, __m512i x, __m512i w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
  return acc;
}

LOWP_INLINE __m256i Dot(__m256i acc, __m256i x, __m256i w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
  return acc;
}

// Quads of bytes. A block has one byte per byte of a register.
template <class Vector>
struct QuadBlock {
  using V = Vector;
  using Int = typename V::Int;
  static constexpr int kVectors = 4;
  static constexpr size_t kChannels = V::kLanes * 4;
  static constexpr size_t kGroupBytes = kChannels * 4;

  struct Column {
    Int quad[4];
  };
  struct Group {
    Int quad[4];
  };

  static LOWP_INLINE Column Interleave(const uint8_t* p0, const uint8_t* p1, const uint8_t* p2, const uint8_t* p3) {
    return Combine(V::Load(p0), V::Load(p1), V::Load(p2), V::Load(p3));
  }
  // As if the fourth tap, whose weight is 0, were the third.
  static LOWP_INLINE Column Interleave(const uint8_t* p0, const uint8_t* p1, const uint8_t* p2) {
    const Int third = V::Load(p2);
    return Combine(V::Load(p0), V::Load(p1), third, third);
  }
  static LOWP_INLINE Group LoadGroup(const uint8_t* weights) {
    Group g;
    LOWP_UNROLL for (int j = 0; j < 4; j++) { g.quad[j] = V::Load(weights + j * sizeof(Int)); }
    return g;
  }
  static LOWP_INLINE void Add(Int (&acc)[4], const Column& c, const Group& g) {
    LOWP_UNROLL for (int j = 0; j < 4; j++) { acc[j] = Dot(acc[j], c.quad[j], g.quad[j]); }
  }

 private:
  static LOWP_INLINE Column Combine(Int r0, Int r1, Int r2, Int r3) {
    const Int low01 = V::UnpackLowBytes(r0, r1), high01 = V::UnpackHighBytes(r0, r1);
    const Int low23 = V::UnpackLowBytes(r2, r3), high23 = V::UnpackHighBytes(r2, r3);
    return {{V::UnpackLowWords(low01, low23), V::UnpackHighWords(low01, low23), V::UnpackLowWords(high01, high23),
             V::UnpackHighWords(high01, high23)}};
  }
};

using Block64 = QuadBlock<Zmm>;
using Block32 = QuadBlock<Ymm>;

}  // namespace

extern const DepthwiseRow depthwise_u8s8_vnni_1x64 = {
    "depthwise_u8s8_vnni_1x64",  Isa::kVnni, DepthwisePacking::kQuads, TapGroups::kSequence, 64, 32, 0, 0,
    RunInteger<Block64, Block32>};
extern const DepthwiseRow depthwise_u8s8_vnni_3x3s1_1x64 = IntegerColumnsRow<Block64, Block32, 3, 1>(
    "depthwise_u8s8_vnni_3x3s1_1x64", Isa::kVnni, DepthwisePacking::kQuads);
extern const DepthwiseRow depthwise_u8s8_vnni_3x3s2_1x64 = IntegerColumnsRow<Block64, Block32, 3, 2>(
    "depthwise_u8s8_vnni_3x3s2_1x64", Isa::kVnni, DepthwisePacking::kQuads);
extern const DepthwiseRow depthwise_u8s8_vnni_5x5s1_1x64 = IntegerColumnsRow<Block64, Block32, 5, 1>(
    "depthwise_u8s8_vnni_5x5s1_1x64", Isa::kVnni, DepthwisePacking::kQuads);
extern const DepthwiseRow depthwise_u8s8_vnni_5x5s2_1x64 = IntegerColumnsRow<Block64, Block32, 5, 2>(
    "depthwise_u8s8_vnni_5x5s2_1x64", Isa::kVnni, DepthwisePacking::kQuads);

}  // namespace lowp
#endif
