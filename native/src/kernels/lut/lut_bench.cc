// Times `lut` on tensors of L2, L3 and memory size.
#include "kernels/lut/lut.h"

#include "kernel_bench.h"

namespace {

using namespace lowp;
using namespace lowp::bench;

void Bench(const char* title, uint32_t n) {
  const LutParams p{n};
  const Data x = MakeData(ElementType::kU8, n), table = MakeData(ElementType::kU8, 256, true);
  const Data y = MakeData(ElementType::kU8, n);
  BenchCall(title, kernel_lut, &p, {&x, &table}, y);
}

}  // namespace

int main() {
  Bench("28x28x128", 28 * 28 * 128);
  Bench("16x112x112x64", 16 * 112 * 112 * 64);
  return 0;
}
