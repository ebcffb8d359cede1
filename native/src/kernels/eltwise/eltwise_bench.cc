// Times `eltwise` on tensors of L2, L3 and memory size.
#include "kernels/eltwise/eltwise.h"

#include "kernel_bench.h"

namespace {

using namespace lowp;
using namespace lowp::bench;

void Bench(const char* title, EltwiseParams p, size_t b_elements) {
  const Data a = MakeData(ElementType::kF32, size_t{p.d0} * p.d1 * p.d2 * p.d3);
  const Data b = MakeData(ElementType::kF32, b_elements);
  const Data y = MakeData(ElementType::kF32, a.operand.elements);
  BenchCall(title, kernel_eltwise, &p, {&a, &b}, y);
}

constexpr float kInfinity = __builtin_inff();

}  // namespace

int main() {
  const auto dense = [](uint32_t op, uint32_t n) {
    return EltwiseParams{op, 1, 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1, -kInfinity, kInfinity};
  };
  Bench("add 28x28x128", dense(0, 28 * 28 * 128), 28 * 28 * 128);
  Bench("divide 28x28x128", dense(3, 28 * 28 * 128), 28 * 28 * 128);
  Bench("add 112x112x256", dense(0, 112 * 112 * 256), 112 * 112 * 256);
  for (uint32_t c : {24u, 128u})
    Bench(c == 24 ? "multiply by channel, 56x56x24" : "multiply by channel, 28x28x128",
          {2, 1, 1, 784, c, 0, 0, c, 1, 0, 0, 0, 1, 0.0f, 6.0f}, c);
  Bench("add of another order, 56x56x64",
        {0, 1, 56, 56, 64, 0, 56 * 64, 64, 1, 0, 56, 1, 56 * 56, -kInfinity, kInfinity}, 56 * 56 * 64);
  return 0;
}
