// Packing of `batched_matmul` in plain C++: the specification of the other row.
#include <cstring>

#include "kernels/batched_matmul/rows.h"

namespace lowp {
namespace {

void Floats(const PackTask& t) {
  const float* b = static_cast<const float*>(t.b);
  float* out = reinterpret_cast<float*>(t.out);
  const size_t width = size_t{t.lanes} * t.vectors;
  for (size_t j = 0; j < t.k; j++, out += width) {
    for (size_t c = 0; c < t.columns; c++) out[c] = b[j * t.stride_k + c * t.stride_n] * t.alpha;
    for (size_t c = t.columns; c < width; c++) out[c] = 0.0f;
  }
}

// Byte of element i (0..3) of a step within a vector.
size_t PlaceOf(const PackTask& t, size_t lane, size_t i) {
  if (!t.pairs) return lane * 4 + i;
  return (i % 2) * t.lanes * 2 + lane * 2 + i / 2;
}

void Bytes(const PackTask& t) {
  const uint8_t* b = static_cast<const uint8_t*>(t.b);
  const size_t vector_bytes = size_t{t.lanes} * 4, step_bytes = vector_bytes * t.vectors, steps = (t.k + 3) / 4;
  std::memset(t.out, 0, steps * step_bytes);
  for (size_t j = 0; j < t.k; j++) {
    uint8_t* step = t.out + j / 4 * step_bytes;
    for (size_t c = 0; c < t.columns; c++)
      step[c / t.lanes * vector_bytes + PlaceOf(t, c % t.lanes, j % 4)] = b[j * t.stride_k + c * t.stride_n] ^ 0x80;
  }
}

int32_t Sum(const uint8_t* a, size_t k) {
  int32_t sum = 0;
  for (size_t j = 0; j < k; j++) sum += a[j];
  return sum;
}

}  // namespace

const PackRows batched_pack_scalar = {Floats, Bytes, Sum};

}  // namespace lowp
