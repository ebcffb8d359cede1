// Times `fake_quantize` on tensors of L2, L3 and memory size.
#include "kernels/fake_quantize/fake_quantize.h"

#include "kernel_bench.h"

namespace {

using namespace lowp;
using namespace lowp::bench;

void Bench(const char* title, FakeQuantizeParams p, size_t limits) {
  const Data x = MakeData(ElementType::kF32, size_t{p.outer} * p.channels * p.inner);
  const Data y = MakeData(ElementType::kF32, x.operand.elements);
  const Data limit = MakeData(ElementType::kF32, limits, true);
  Data high = MakeData(ElementType::kF32, limits, true);
  for (size_t i = 0; i < limits; i++) reinterpret_cast<float*>(high.bytes.get())[i] += 9.0f;
  BenchCall(title, kernel_fake_quantize, &p, {&x, &limit, &high, &limit, &high}, y);
}

}  // namespace

int main() {
  Bench("tensor 28x28x128", {784, 128, 1, 256}, 1);
  Bench("tensor 112x112x256", {112 * 112, 256, 1, 256}, 1);
  Bench("channels-last 28x28x128", {784, 128, 1, 256}, 128);
  Bench("weights 512 x 512x3x3", {1, 512, 4608, 255}, 512);
  return 0;
}
