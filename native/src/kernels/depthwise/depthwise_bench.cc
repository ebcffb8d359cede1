// Times the depthwise layers of MobileNet V1 and V2 on one thread: every ISA, int8 and f32.
//   depthwise_bench [repetitions]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/aligned.h"
#include "cpu/isa.h"
#include "kernels/depthwise/depthwise.h"

namespace lowp {
namespace {

struct Layer {
  uint32_t channels, size, kernel, stride;
};

constexpr Layer kLayers[] = {
    {32, 112, 3, 1}, {64, 112, 3, 2}, {128, 56, 3, 1}, {128, 56, 3, 2}, {256, 28, 3, 1}, {512, 14, 3, 1},
    {512, 14, 3, 2}, {1024, 7, 3, 1}, {96, 112, 3, 2}, {144, 56, 3, 1}, {144, 56, 3, 2}, {192, 28, 3, 1},
    {384, 14, 3, 1}, {576, 14, 3, 1}, {960, 7, 3, 1},  {240, 28, 5, 1}, {672, 14, 5, 1},
};

struct Data {
  AlignedPtr<uint8_t> x, y, weights;
  std::vector<float> bias, scale;
};

Operand Make(ElementType type, uint64_t elements, const void* constant) {
  Operand o;
  o.present = true;
  o.type = type;
  o.elements = elements;
  o.constant = constant;
  return o;
}

// Seconds of the fastest run and the name of the row.
double Time(const Layer& layer, bool u8, Isa isa, int repetitions, const char** row) {
  const uint32_t c = layer.channels, out = (layer.size - 1) / layer.stride + 1;
  DepthwiseParams p{};
  p.batch = 1;
  p.in_h = p.in_w = layer.size;
  p.in_c = p.in_stride = p.out_c = p.out_stride = p.groups = c;
  p.out_h = p.out_w = out;
  p.kernel_h = p.kernel_w = layer.kernel;
  p.stride_h = p.stride_w = layer.stride;
  p.dilation_h = p.dilation_w = 1;
  p.pad_top = p.pad_left = layer.kernel / 2;
  p.in_zero_point = 3;
  p.high = 6;
  const size_t size = u8 ? 1 : 4, in = 1ul * layer.size * layer.size * c, count = 1ul * out * out * c;
  Data d{AllocateAligned<uint8_t>(in * size), AllocateAligned<uint8_t>(count * size),
         AllocateAligned<uint8_t>(1ul * c * layer.kernel * layer.kernel * size), std::vector<float>(c, 1.0f),
         std::vector<float>(c, 0.001f)};
  for (size_t i = 0; u8 && i < in; i++) d.x[i] = static_cast<uint8_t>(i * 2654435761u >> 24);
  for (size_t i = 0; u8 && i < 1ul * c * layer.kernel * layer.kernel; i++)
    d.weights[i] = static_cast<uint8_t>(i * 40503u >> 7);
  const ElementType type = u8 ? ElementType::kU8 : ElementType::kF32;
  Operand inputs[4] = {
      Make(type, in, nullptr),
      Make(u8 ? ElementType::kI8 : ElementType::kF32, 1ul * c * layer.kernel * layer.kernel, d.weights.get()),
      Make(ElementType::kF32, c, d.bias.data()), Make(ElementType::kF32, c, d.scale.data())};
  inputs[3].present = u8;
  const Operand outputs[1] = {Make(type, count, nullptr)};
  CallView view{&p, {inputs, 4}, {outputs, 1}};
  if (!kernel_depthwise.validate(view).ok()) std::abort();
  PrepareContext context;
  context.isa = isa;
  Result<PreparedPtr> prepared = kernel_depthwise.prepare(view, context);
  if (!prepared.ok()) std::abort();
  const PreparedCall& call = *prepared.value();
  *row = call.row;
  AlignedPtr<uint8_t> scratch = AllocateAligned<uint8_t>(call.scratch_bytes);
  const void* in_pointers[4] = {d.x.get(), d.weights.get(), d.bias.data(), d.scale.data()};
  void* out_pointers[1] = {d.y.get()};
  const RunContext run{in_pointers, out_pointers, nullptr, scratch.get()};
  double best = 1e9;
  for (int i = 0; i < repetitions; i++) {
    const auto start = std::chrono::steady_clock::now();
    call.Run(run, 0, 0, call.tiles[0]);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace
}  // namespace lowp

int main(int argc, char** argv) {
  using namespace lowp;
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 200;
  std::printf("%-22s %-36s %9s %7s\n", "layer", "row", "us", "GOPS");
  for (const Layer& layer : kLayers) {
    for (const bool u8 : {true, false}) {
      const char* previous = "";
      for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kVnni}) {
        if (isa > ActiveIsa()) continue;
        const char* row = "";
        const double seconds = Time(layer, u8, isa, repetitions, &row);
        if (row == previous) continue;
        previous = row;
        const uint32_t out = (layer.size - 1) / layer.stride + 1;
        const double operations = 2.0 * layer.kernel * layer.kernel * out * out * layer.channels;
        char name[64];
        std::snprintf(name, sizeof(name), "%ux%ux%u k%u s%u", layer.size, layer.size, layer.channels, layer.kernel,
                      layer.stride);
        std::printf("%-22s %-36s %9.1f %7.1f\n", name, row, seconds * 1e6, operations / seconds * 1e-9);
      }
    }
  }
}
