// Times `dequantize` on tensors of L2, L3 and memory size.
#include "kernels/dequantize/dequantize.h"

#include "kernel_bench.h"

namespace {

using namespace lowp;
using namespace lowp::bench;

void Bench(const char* title, DequantizeParams p, size_t scales) {
  const Data x = MakeData(ElementType::kU8, size_t{p.batch} * p.spatial * p.in_stride);
  const Data scale = MakeData(ElementType::kF32, scales, true), zero_point = MakeData(ElementType::kF32, scales, true);
  const Data y = MakeData(ElementType::kF32, size_t{p.batch} * p.spatial * p.channels);
  BenchCall(title, kernel_dequantize, &p, {&x, &scale, &zero_point}, y);
}

}  // namespace

int main() {
  Bench("pixels 28x28x128 per tensor", {1, 128, 28 * 28, 0, 128}, 1);
  Bench("pixels 28x28x128 per channel", {1, 128, 28 * 28, 0, 128}, 128);
  Bench("pixels 16x112x112x64 per tensor", {16, 64, 112 * 112, 0, 64}, 1);
  Bench("planes 21x513x513", {1, 21, 513 * 513, 1, 21}, 1);
  Bench("planes 3x224x224 of 4", {1, 3, 224 * 224, 1, 4}, 1);
  Bench("planes 64x56x56", {1, 64, 56 * 56, 1, 64}, 1);
  return 0;
}
