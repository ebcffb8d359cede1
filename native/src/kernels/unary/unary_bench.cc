// Times every op of `unary` on a tensor of L2 size.
#include "kernels/unary/unary.h"

#include "kernel_bench.h"

namespace {

using namespace lowp;
using namespace lowp::bench;

void Bench(const char* title, uint32_t op) {
  const UnaryParams p{op, 28 * 28 * 128, 0.1f, 1.0f, 1, 0, 0, 0};
  const Data x = MakeData(ElementType::kF32, p.elements), y = MakeData(ElementType::kF32, p.elements);
  BenchCall(title, kernel_unary, &p, {&x}, y);
}

}  // namespace

int main() {
  const char* names[] = {"clamp",    "leaky_relu", "sigmoid",  "tanh", "exp",   "sqrt",     "abs",
                         "negative", "hswish",     "hsigmoid", "elu",  "swish", "gelu_erf", "softplus"};
  for (uint32_t op = 0; op < 14; op++) Bench(names[op], op);
  return 0;
}
