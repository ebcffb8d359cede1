// Times layout changes and slices on one thread beside memcpy of the same bytes.
//   copy_bench [repetitions]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/aligned.h"
#include "kernels/copy/copy.h"

namespace lowp {
namespace {

struct Case {
  const char* name;
  CopyParams params;
  uint64_t elements;  // of both sides
};

CopyParams Params3(uint32_t d0, uint32_t d1, uint32_t d2, int32_t i0, int32_t i1, int32_t i2, int32_t o0, int32_t o1,
                   int32_t o2) {
  return {3, d0, d1, d2, 0, 0, 0, i0, i1, i2, 0, 0, 0, 0, o0, o1, o2, 0, 0, 0, 0};
}

Case ToChannelsLast(const char* name, uint32_t channels, uint32_t spatial) {
  const int32_t c = static_cast<int32_t>(channels), s = static_cast<int32_t>(spatial);
  return {name, Params3(1, spatial, channels, c * s, 1, s, c * s, c, 1), 1ull * channels * spatial};
}

Case ToPlanes(const char* name, uint32_t channels, uint32_t spatial) {
  const int32_t c = static_cast<int32_t>(channels), s = static_cast<int32_t>(spatial);
  return {name, Params3(1, channels, spatial, c * s, 1, c, c * s, s, 1), 1ull * channels * spatial};
}

// `run` elements of every `pitch`.
Case Slice(const char* name, uint32_t rows, uint32_t run, uint32_t pitch) {
  const int32_t r = static_cast<int32_t>(run), p = static_cast<int32_t>(pitch);
  return {name, Params3(1, rows, run, 0, p, 1, 0, r, 1), 1ull * rows * pitch};
}

template <class Work>
double Fastest(int repetitions, const Work& work) {
  double best = 1e9;
  for (int i = 0; i < repetitions; i++) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

void Time(const Case& c, ElementType type, Isa isa, int repetitions) {
  Operand in, out;
  in.present = out.present = true;
  in.type = out.type = type;
  in.elements = out.elements = c.elements;
  const CallView view{&c.params, {&in, 1}, {&out, 1}};
  if (!kernel_copy.validate(view).ok()) std::abort();
  PrepareContext context;
  context.isa = isa;
  Result<PreparedPtr> prepared = kernel_copy.prepare(view, context);
  if (!prepared.ok()) std::abort();
  const PreparedCall& call = *prepared.value();
  const AlignedPtr<uint8_t> x = AllocateAligned<uint8_t>(c.elements * SizeOf(type)),
                            y = AllocateAligned<uint8_t>(c.elements * SizeOf(type));
  const void* inputs[] = {x.get()};
  void* outputs[] = {y.get()};
  const RunContext run{inputs, outputs, nullptr, nullptr};
  const size_t bytes = 1ul * c.params.d0 * c.params.d1 * c.params.d2 * SizeOf(type);
  const double seconds = Fastest(repetitions, [&] { call.Run(run, 0, 0, call.tiles[0]); });
  const double plain = Fastest(repetitions, [&] { std::memcpy(y.get(), x.get(), bytes); });
  std::printf("%-26s %-34s %9zu %8.1f us %7.1f GB/s   memcpy %7.1f GB/s\n", c.name, call.row, bytes, seconds * 1e6,
              2e-9 * static_cast<double>(bytes) / seconds, 2e-9 * static_cast<double>(bytes) / plain);
}

}  // namespace
}  // namespace lowp

int main(int argc, char** argv) {
  using namespace lowp;
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 100;
  const Case cases[] = {
      ToChannelsLast("3x224x224 to NHWC", 3, 224 * 224),
      ToChannelsLast("4x224x224 to NHWC", 4, 224 * 224),
      ToChannelsLast("24x56x56 to NHWC", 24, 56 * 56),
      ToChannelsLast("64x56x56 to NHWC", 64, 56 * 56),
      ToChannelsLast("256x56x56 to NHWC", 256, 56 * 56),
      ToChannelsLast("512x14x14 to NHWC", 512, 14 * 14),
      ToChannelsLast("2048x7x7 to NHWC", 2048, 7 * 7),
      ToPlanes("224x224x3 to NCHW", 3, 224 * 224),
      ToPlanes("56x56x24 to NCHW", 24, 56 * 56),
      ToPlanes("56x56x256 to NCHW", 256, 56 * 56),
      ToPlanes("14x14x512 to NCHW", 512, 14 * 14),
      Slice("3 of 4", 224 * 224, 3, 4),
      Slice("32 of 96", 56 * 56, 32, 96),
      Slice("116 of 232", 28 * 28, 116, 232),
  };
  for (const Case& c : cases) {
    for (const ElementType type : {ElementType::kF32, ElementType::kU8}) {
      Time(c, type, Isa::kScalar, repetitions);
      Time(c, type, ActiveIsa(), repetitions);
    }
  }
}
