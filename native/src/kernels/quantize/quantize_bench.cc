// Times `quantize` on tensors of L2, L3 and memory size.
#include "kernels/quantize/quantize.h"

#include "kernel_bench.h"

namespace {

using namespace lowp;
using namespace lowp::bench;

void Bench(const char* title, QuantizeParams p, size_t scales) {
  const Data x = MakeData(ElementType::kF32, size_t{p.batch} * p.spatial * p.channels);
  const Data scale = MakeData(ElementType::kF32, scales, true), shift = MakeData(ElementType::kF32, scales, true);
  const Data y = MakeData(ElementType::kU8, size_t{p.batch} * p.spatial * p.out_stride);
  const Data absent;
  BenchCall(title, kernel_quantize, &p, {&x, &scale, &shift, &absent}, y);
}

}  // namespace

int main() {
  Bench("image 3x224x224 to 4 channels", {1, 3, 224 * 224, 1, 4, 0}, 3);
  Bench("images 16x3x224x224 to 4", {16, 3, 224 * 224, 1, 4, 0}, 3);
  Bench("image 224x224x3 to 4 channels", {1, 3, 224 * 224, 0, 4, 0}, 3);
  Bench("planes 64x56x56 to 64", {1, 64, 56 * 56, 1, 64, 0}, 1);
  Bench("pixels 28x28x128 per tensor", {1, 128, 28 * 28, 0, 128, 0}, 1);
  Bench("pixels 28x28x128 per channel", {1, 128, 28 * 28, 0, 128, 0}, 128);
  Bench("pixels 56x56x24 per channel", {1, 24, 56 * 56, 0, 24, 0}, 24);
  Bench("pixels 16x112x112x64 per tensor", {16, 64, 112 * 112, 0, 64, 0}, 1);
  return 0;
}
