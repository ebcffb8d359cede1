// What an instruction set implements for `matmul_s16`, and the task it gets.
//
// Steps are two s16 of x, 4 bytes. A panel holds lanes * vectors output channels; its weights are
// [step][vector][lane][2]. The steps come in blocks whose sum is proven an s32 (pack.h); between blocks a sum is kept
// as two s32: the sum of the blocks' upper halves, floor(block / 2^16), and that of their lower halves, 0 to 65535.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/common/epilogue.h"

namespace lowp {

// Steps [first, first + steps) of x.
struct S16Block {
  uint32_t first = 0;
  uint32_t steps = 0;
};

// `m` rows of x against one panel.
struct S16Task {
  const int16_t* x = nullptr;           // row 0
  size_t x_stride = 0;                  // elements
  size_t m = 0;
  const S16Block* blocks = nullptr;
  size_t block_count = 0;
  const int16_t* weights = nullptr;     // 64-byte aligned, in the order of the blocks
  uint32_t vectors = 0;
  size_t n = 0;                         // first output channel
  size_t columns = 0;                   // channels to store; all vectors but the last are full
  const Epilogue* epilogue = nullptr;   // f32 y; null for i32 y
  const int32_t* bias = nullptr;        // i32 y: by output channel, kEpilogueSlack more
  void* y = nullptr;                    // row 0, channel n
  size_t y_stride = 0;                  // elements, of 4 bytes
  const void* residual = nullptr;       // row 0, channel n; null when there is none
  size_t residual_stride = 0;           // elements, of 4 bytes; 0 when there is none
};

struct MatmulS16Rows {
  uint32_t lanes;
  uint32_t most_vectors;
  void (*run)(const S16Task& task);
};

extern const MatmulS16Rows matmul_s16_scalar_1x8;
#if defined(__x86_64__)
extern const MatmulS16Rows matmul_s16_avx2_4x16;
extern const MatmulS16Rows matmul_s16_avx512_4x32;
extern const MatmulS16Rows matmul_s16_vnni_4x32;
#endif

}  // namespace lowp
