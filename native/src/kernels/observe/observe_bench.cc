// Times `observe` on tensors of L2, L3 and memory size.
#include "kernels/observe/observe.h"

#include "kernel_bench.h"

namespace {

using namespace lowp;
using namespace lowp::bench;

void Bench(const char* title, ObserveParams p) {
  const Data x = MakeData(ElementType::kF32, size_t{p.outer} * p.channels * p.inner);
  const Data y = MakeData(ElementType::kF32, 5 * (p.per_channel ? p.channels : 1));
  BenchCall(title, kernel_observe, &p, {&x}, y);
}

}  // namespace

int main() {
  Bench("tensor 28x28x128", {784, 128, 1, 0, 1, 1});
  Bench("tensor 112x112x64", {112 * 112, 64, 1, 0, 1, 1});
  Bench("tensor 16x112x112x64", {16 * 112 * 112, 64, 1, 0, 1, 1});
  Bench("channels 28x28x128", {784, 128, 1, 1, 1, 1});
  Bench("channels 112x112x64", {112 * 112, 64, 1, 1, 1, 1});
  Bench("channels 56x56x24", {56 * 56, 24, 1, 1, 1, 1});
  Bench("channels 14x14x512", {196, 512, 1, 1, 1, 1});
  Bench("channels 7x7x2048", {49, 2048, 1, 1, 1, 1});
  Bench("channels 16x112x112x64", {16 * 112 * 112, 64, 1, 1, 1, 1});
  Bench("channels first 64x112x112", {1, 64, 112 * 112, 1, 1, 1});
  Bench("channels first 2048x7x7", {1, 2048, 49, 1, 1, 1});
  Bench("channels 112x112x64 without mean", {112 * 112, 64, 1, 1, 1, 0});
  return 0;
}
