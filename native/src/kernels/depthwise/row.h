// A row of the depthwise room: the packing that it wants and the task it is given. For ISA files too.
//
// Channels are taken in blocks: as many of `wide` as fit, then one of `narrow` or `wide` for the rest. All arrays of
// constants are in the order of the blocks, so that a block that begins at channel c finds its part at c times the
// bytes of one channel.
//
// Integer rows hold a block in `vectors` registers of s32 whose lanes are in the order that unpacklo/unpackhi leave:
// channel 4 * vectors * l + 4 * j + i of the block is element i of 128-bit lane l of register j. Their weights come in
// groups of 4 taps: kQuads [group][register][lane] of 4 bytes, kPairs [group][half of the group][register][lane] of 2
// s16. Float rows and the scalar rows have everything in the order of the channels, weights as [tap][channel of block].
#pragma once
#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"
#include "kernels/common/epilogue.h"

namespace lowp {

enum class DepthwisePacking : uint32_t { kPlainFloat, kPlainInteger, kQuads, kPairs };

// Taps that an integer row wants beside each other.
enum class TapGroups : uint32_t {
  kSequence,  // taps 4 g to 4 g + 3 in the order (ky, kx)
  kColumns,   // of 3 x 3: group kx is (0, kx), (1, kx), (2, kx) and a weight of 0
  // Of 5 x 5: group kx is (0, kx) to (3, kx), group 5 is (4, 1) to (4, 4), group 6 is (4, 0) in place stride_w - 1 and
  // weights of 0.
  kColumnsAndLine,
};

constexpr size_t kFiveByFiveGroups = 7;

// All sizes are elements and pixels; params in the width of an address.
struct DepthwiseGeometry {
  size_t in_h, in_w, in_stride;
  size_t out_h, out_w, out_stride;
  size_t channels;
  size_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  size_t pad_top, pad_left;

  size_t taps() const { return kernel_h * kernel_w; }
};

// One row of output pixels, blocks of channels from channel `begin` to before `end`.
struct DepthwiseTask {
  const DepthwiseGeometry* geometry = nullptr;
  const Epilogue* epilogue = nullptr;
  const uint8_t* x = nullptr;         // the image
  uint8_t* y = nullptr;               // channel 0 of the row's first pixel
  const uint8_t* residual = nullptr;  // the same place of the residual
  size_t oy = 0;
  size_t begin = 0;
  size_t end = 0;                    // a block's boundary or geometry->channels
  const uint8_t* weights = nullptr;  // packed constants, at channel 0
  // Integer, by block: sums of s32 before the first tap, for taps outside of the input that read the zero point; then
  // the scales and the biases.
  const uint8_t* channels = nullptr;
  const uint8_t* zero_points = nullptr;  // integer: by channel, kEpilogueSlack more
  uint8_t* scratch = nullptr;
};

struct DepthwiseRow {
  const char* name;
  Isa isa;
  DepthwisePacking packing;
  TapGroups groups;
  uint32_t wide;      // channels of a block
  uint32_t narrow;    // for a rest that fits; divides wide
  uint32_t kernel;    // of this height and width only, with stride_w and shared columns (rows.cc); 0: any kernel
  uint32_t stride_w;
  void (*run)(const DepthwiseTask& task);
};

// Bytes of DepthwiseTask::channels per channel.
constexpr size_t kDepthwiseChannelBytes = 12;

// Output pixels whose taps' addresses are kept at once by rows of TapGroups::kSequence.
constexpr size_t DepthwiseSegment(size_t taps) { return taps >= 1024 ? 1 : 4096 / taps; }

// Channels in the block that begins at c.
constexpr size_t DepthwiseBlock(const DepthwiseRow& row, size_t channels, size_t c) {
  return channels - c <= row.narrow ? row.narrow : row.wide;
}

extern const DepthwiseRow depthwise_f32_scalar_1x16;
extern const DepthwiseRow depthwise_u8s8_scalar_1x16;
#if defined(__x86_64__)
extern const DepthwiseRow depthwise_f32_avx2_7x8;
extern const DepthwiseRow depthwise_f32_avx2_3x3s1_10x8;
extern const DepthwiseRow depthwise_f32_avx2_3x3s2_10x8;
extern const DepthwiseRow depthwise_f32_avx2_5x5s1_10x8;
extern const DepthwiseRow depthwise_f32_avx2_5x5s2_10x8;
extern const DepthwiseRow depthwise_u8s8_avx2_1x16;
extern const DepthwiseRow depthwise_u8s8_avx2_3x3s1_1x16;
extern const DepthwiseRow depthwise_u8s8_avx2_3x3s2_1x16;
extern const DepthwiseRow depthwise_u8s8_avx2_5x5s1_1x16;
extern const DepthwiseRow depthwise_u8s8_avx2_5x5s2_1x16;
extern const DepthwiseRow depthwise_f32_avx512_7x16;
extern const DepthwiseRow depthwise_f32_avx512_3x3s1_7x16;
extern const DepthwiseRow depthwise_f32_avx512_3x3s2_7x16;
extern const DepthwiseRow depthwise_f32_avx512_5x5s1_14x16;
extern const DepthwiseRow depthwise_f32_avx512_5x5s2_14x16;
extern const DepthwiseRow depthwise_u8s8_avx512_1x32;
extern const DepthwiseRow depthwise_u8s8_avx512_3x3s1_1x32;
extern const DepthwiseRow depthwise_u8s8_avx512_3x3s2_1x32;
extern const DepthwiseRow depthwise_u8s8_avx512_5x5s1_1x32;
extern const DepthwiseRow depthwise_u8s8_avx512_5x5s2_1x32;
extern const DepthwiseRow depthwise_u8s8_vnni_1x64;
extern const DepthwiseRow depthwise_u8s8_vnni_3x3s1_1x64;
extern const DepthwiseRow depthwise_u8s8_vnni_3x3s2_1x64;
extern const DepthwiseRow depthwise_u8s8_vnni_5x5s1_1x64;
extern const DepthwiseRow depthwise_u8s8_vnni_5x5s2_1x64;
#endif

}  // namespace lowp
