// Times `quantized_add` on tensors of L2, L3 and memory size.
#include "kernels/quantized_add/quantized_add.h"

#include "kernel_bench.h"

namespace {

using namespace lowp;
using namespace lowp::bench;

void Bench(const char* title, uint32_t n, ElementType type) {
  const QuantizedAddParams p{n, 0, 255, 0.5f, 0.25f, 1.0f, 0.0f, 100.0f};
  const Data a = MakeData(ElementType::kU8, n), b = MakeData(ElementType::kU8, n), y = MakeData(type, n);
  BenchCall(title, kernel_quantized_add, &p, {&a, &b}, y);
}

}  // namespace

int main() {
  Bench("28x28x128 to u8", 28 * 28 * 128, ElementType::kU8);
  Bench("28x28x128 to f32", 28 * 28 * 128, ElementType::kF32);
  Bench("16x112x112x64 to u8", 16 * 112 * 112 * 64, ElementType::kU8);
  return 0;
}
