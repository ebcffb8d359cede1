// Times the pooling layers of ResNet, Inception and MobileNet on one thread, every ISA.
//   pool_bench [repetitions]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/aligned.h"
#include "kernels/pool/pool.h"

namespace lowp {
namespace {

struct Layer {
  const char* name;
  uint32_t mode, channels, size, kernel, stride, pad;
};

constexpr Layer kLayers[] = {
    {"max 112x112x64 k3 s2", 0, 64, 112, 3, 2, 1}, {"max 28x28x192 k3 s1", 0, 192, 28, 3, 1, 1},
    {"max 224x224x64 k2 s2", 0, 64, 224, 2, 2, 0}, {"average 35x35x192 k3 s1", 1, 192, 35, 3, 1, 1},
    {"average 7x7x2048 k7", 1, 2048, 7, 7, 1, 0},  {"average 7x7x1280 k7", 1, 1280, 7, 7, 1, 0},
    {"average 56x56x96 k56", 1, 96, 56, 56, 1, 0},  {"max 480x480x3 k2 s2", 0, 3, 480, 2, 2, 0},
    {"max 112x112x16 k3 s2", 0, 16, 112, 3, 2, 1},  {"max 224x224x3 k3 s1", 0, 3, 224, 3, 1, 1},
    {"max 56x56x96 k2 s2", 0, 96, 56, 2, 2, 0},     {"max 13x13x32 k5 s1", 0, 32, 13, 5, 1, 2},
};

double Time(const Layer& layer, ElementType in, ElementType out, Isa isa, int repetitions, const char** row) {
  PoolParams p{};
  p.batch = 1;
  p.in_d = p.out_d = p.kernel_d = p.stride_d = p.dilation_d = 1;
  p.in_h = p.in_w = layer.size;
  p.channels = p.in_stride = p.out_stride = layer.channels;
  p.kernel_h = p.kernel_w = layer.kernel;
  p.stride_h = p.stride_w = layer.stride;
  p.dilation_h = p.dilation_w = 1;
  p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = layer.pad;
  p.out_h = p.out_w = (layer.size + 2 * layer.pad - layer.kernel) / layer.stride + 1;
  p.mode = layer.mode;
  p.scale = 1;
  Operand x, y;
  x.present = y.present = true;
  x.type = in;
  y.type = out;
  x.elements = 1ull * p.in_h * p.in_w * p.channels;
  y.elements = 1ull * p.out_h * p.out_w * p.channels;
  const CallView view{&p, {&x, 1}, {&y, 1}};
  if (!kernel_pool.validate(view).ok()) std::abort();
  PrepareContext context;
  context.isa = isa;
  Result<PreparedPtr> prepared = kernel_pool.prepare(view, context);
  if (!prepared.ok()) std::abort();
  const PreparedCall& call = *prepared.value();
  *row = call.row;
  const AlignedPtr<uint8_t> x_data = AllocateAligned<uint8_t>(x.elements * SizeOf(in)),
                            y_data = AllocateAligned<uint8_t>(y.elements * SizeOf(out));
  const void* inputs[] = {x_data.get()};
  void* outputs[] = {y_data.get()};
  const RunContext run{inputs, outputs, nullptr, nullptr};
  double best = 1e9;
  for (int i = 0; i < repetitions; i++) {
    const auto start = std::chrono::steady_clock::now();
    call.Run(run, 0, 0, call.tiles[0]);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  const double bytes = static_cast<double>(x.elements * SizeOf(in) + y.elements * SizeOf(out));
  std::printf("%-26s %-30s %9.1f us %7.1f GB/s\n", layer.name, call.row, best * 1e6, bytes / best * 1e-9);
  return best;
}

}  // namespace
}  // namespace lowp

int main(int argc, char** argv) {
  using namespace lowp;
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 100;
  for (const Layer& layer : kLayers) {
    for (const ElementType type : {ElementType::kF32, ElementType::kU8}) {
      for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
        const char* row = "";
        if (isa <= ActiveIsa()) Time(layer, type, type, isa, repetitions, &row);
      }
    }
  }
}
