// Times `softmax` on tensors of L2, L3 and memory size.
#include "kernels/softmax/softmax.h"

#include "kernel_bench.h"

namespace {

using namespace lowp;
using namespace lowp::bench;

void Bench(const char* title, SoftmaxParams p) {
  const Data x = MakeData(ElementType::kF32, size_t{p.outer} * p.axis * p.inner);
  const Data y = MakeData(ElementType::kF32, x.operand.elements);
  BenchCall(title, kernel_softmax, &p, {&x}, y);
}

}  // namespace

int main() {
  Bench("1000 classes", {1, 1000, 1});
  Bench("attention 12x128 rows of 128", {12 * 128, 128, 1});
  Bench("384 rows of 384", {384, 384, 1});
  Bench("detection 8732 rows of 21", {8732, 21, 1});
  Bench("segmentation 21 planes of 256x256", {1, 21, 256 * 256});
  return 0;
}
