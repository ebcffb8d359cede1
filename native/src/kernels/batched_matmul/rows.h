// What an instruction set implements for `batched_matmul`: packing b at run time. The products are kernels/gemm.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

// One panel of b in the packing of a gemm row (kernels/gemm/row.h): lanes * vectors columns, of which `columns` exist.
// Element (j, c) of b is at b[j * stride_k + c * stride_n] (elements); one of the strides is 1. Columns that do not
// exist and the bytes that fill up the last step become weights of 0.
struct PackTask {
  const void* b = nullptr;
  size_t stride_k = 1, stride_n = 1;
  size_t k = 0, columns = 0;
  uint32_t lanes = 8, vectors = 1;
  float alpha = 1;       // f32: what b is multiplied with
  bool pairs = false;    // u8: Packing::kPairs instead of kQuads
  uint8_t* out = nullptr;  // 64-byte aligned
};

struct PackRows {
  void (*floats)(const PackTask& task);
  void (*bytes)(const PackTask& task);  // b - 128 as s8
  // The sum of k bytes.
  int32_t (*sum)(const uint8_t* a, size_t k);
};

extern const PackRows batched_pack_scalar;
extern const PackRows batched_pack_avx2;

}  // namespace lowp
