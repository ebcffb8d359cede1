// Sweeps the sizes of a matrix product around the register tiles, to find cliffs, and measures large products beside
// the peak of the instructions that they are made of.
//
// usage: sweep_bench [scalar|avx2|avx512|vnni|native] [milliseconds per shape] [sweep|peak|all] > sweep.csv
//
// Output is CSV, one line for each measurement, with this header:
//   isa,mode,sweep,m,n,k,gops,row
//     isa    the level in force
//     mode   u8s8 (normal weights, the largest of a column at 127, u8 out) or f32
//     sweep  m, n or k: the size that varies while the others stay; large: products whose speed is close to the best;
//            peak: no product, gops of independent instructions in registers, `row` names them, sizes are 0
//     gops   2 * m * n * k / seconds * 1e-9, fastest of all runs on one thread with warm caches
//     row    the micro-kernel
// A sweep is measured in two passes, so that one disturbance does not look like a cliff.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "kernels/matmul/matmul.h"

namespace lowp {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Shape {
  const char* sweep;
  uint32_t m, n, k;
};

struct Speed {
  double gops = 0;
  std::string row;
};

// [k] weights of each of n columns.
void FillWeights(bool integer, uint32_t n, uint32_t k, uint8_t* out) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(k);
  for (size_t column = 0; column < n; column++) {
    float largest = 1e-6f;
    for (float& v : values) v = normal(random), largest = std::max(largest, std::abs(v));
    for (size_t i = 0; i < k; i++) {
      const float scaled = values[i] / largest * 127.0f;
      if (integer) {
        out[column * k + i] = static_cast<uint8_t>(static_cast<int8_t>(std::lround(scaled)));
      } else {
        reinterpret_cast<float*>(out)[column * k + i] = scaled / 128.0f;
      }
    }
  }
}

Operand OperandOf(ElementType type, uint64_t elements, const void* constant) {
  Operand o;
  o.present = true;
  o.type = type;
  o.elements = elements;
  o.constant = constant;
  return o;
}

Speed Measure(const Shape& s, bool integer, Isa isa, double seconds) {
  const size_t element = integer ? 1 : 4;
  auto x = AllocateAligned<uint8_t>(size_t{s.m} * s.k * element), y = AllocateAligned<uint8_t>(size_t{s.m} * s.n * element);
  auto w = AllocateAligned<uint8_t>(size_t{s.n} * s.k * element);
  auto bias = AllocateAligned<float>(s.n), scale = AllocateAligned<float>(s.n);
  std::mt19937 random(2);
  for (size_t i = 0; i < size_t{s.m} * s.k; i++) {
    if (integer) {
      x[i] = static_cast<uint8_t>(random() >> 24);
    } else {
      reinterpret_cast<float*>(x.get())[i] = static_cast<float>(random() >> 24) / 256.0f;
    }
  }
  FillWeights(integer, s.n, s.k, w.get());
  for (size_t i = 0; i < s.n; i++) bias[i] = 10.0f, scale[i] = 0.001f;
  MatmulParams p = {};
  p.m = s.m;
  p.k = p.in_stride = s.k;
  p.n = p.out_stride = s.n;
  p.weights_transposed = 1;
  p.in_zero_point = integer ? 5 : 0;
  p.high = std::numeric_limits<float>::infinity();
  const ElementType type = integer ? ElementType::kU8 : ElementType::kF32;
  std::vector<Operand> ins = {OperandOf(type, uint64_t{s.m} * s.k, nullptr),
                              OperandOf(integer ? ElementType::kI8 : ElementType::kF32, uint64_t{s.n} * s.k, w.get()),
                              OperandOf(ElementType::kF32, s.n, bias.get())};
  if (integer) ins.push_back(OperandOf(ElementType::kF32, s.n, scale.get()));
  const Operand out = OperandOf(type, uint64_t{s.m} * s.n, nullptr);
  const CallView view{&p, {ins.data(), ins.size()}, {&out, 1}};
  PrepareContext context;
  context.isa = isa;
  const Status status = kernel_matmul.validate(view);
  Result<PreparedPtr> prepared = status.ok() ? kernel_matmul.prepare(view, context) : Result<PreparedPtr>(status);
  if (!prepared.ok()) {
    std::fprintf(stderr, "%s\n", prepared.status().message().c_str());
    std::exit(1);
  }
  const PreparedCall& call = *prepared.value();
  auto shared = AllocateAligned<uint8_t>(call.shared_bytes + 1), scratch = AllocateAligned<uint8_t>(call.scratch_bytes + 1);
  const void* inputs[] = {x.get(), w.get(), bias.get(), scale.get()};
  void* outputs[] = {y.get()};
  const RunContext run{inputs, outputs, shared.get(), scratch.get()};
  const double operations = 2.0 * s.m * s.n * s.k;
  const size_t repeat = std::max<size_t>(1, static_cast<size_t>(2e5 / operations));  // longer than the clock's step
  double best = 1e9;
  const double stop = Now() + seconds;
  do {
    const double start = Now();
    for (size_t i = 0; i < repeat; i++)
      for (size_t phase = 0; phase < call.phases; phase++) call.Run(run, phase, 0, call.tiles[phase]);
    best = std::min(best, (Now() - start) / static_cast<double>(repeat));
  } while (Now() < stop);
  return {operations / best * 1e-9, call.row};
}

#if defined(__x86_64__)
#define LOWP_TWELVE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define LOWP_LOOP(body) asm volatile("1:\n" body body "dec %0\njnz 1b\nvzeroupper" : "+r"(n) : : "cc", "memory",  \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
  "xmm14", "xmm15")

// 24 instructions (or triples) in each pass of the loop; what the registers hold does not matter.
void FmaYmm(long n) {
#define LOWP_ONE(i) "vfmadd231ps %%ymm15, %%ymm14, %%ymm" #i "\n"
  LOWP_LOOP("vpxor %%xmm14, %%xmm14, %%xmm14\n" LOWP_TWELVE(LOWP_ONE));
#undef LOWP_ONE
}
void PairsYmm(long n) {
#define LOWP_ONE(i) "vpmaddubsw %%ymm15, %%ymm14, %%ymm12\nvpmaddwd %%ymm13, %%ymm12, %%ymm12\n" \
                    "vpaddd %%ymm12, %%ymm" #i ", %%ymm" #i "\n"
  LOWP_LOOP(LOWP_TWELVE(LOWP_ONE));
#undef LOWP_ONE
}
void FmaZmm(long n) {
#define LOWP_ONE(i) "vfmadd231ps %%zmm15, %%zmm14, %%zmm" #i "\n"
  LOWP_LOOP("vpxor %%xmm14, %%xmm14, %%xmm14\n" LOWP_TWELVE(LOWP_ONE));
#undef LOWP_ONE
}
void DotZmm(long n) {
#define LOWP_ONE(i) "vpdpbusd %%zmm15, %%zmm14, %%zmm" #i "\n"
  LOWP_LOOP(LOWP_TWELVE(LOWP_ONE));
#undef LOWP_ONE
}

void Peak(const char* mode, const char* name, Isa needs, Isa isa, double operations, void (*loop)(long)) {
  if (isa < needs) return;
  constexpr long kPasses = 20000;
  double best = 1e9;
  for (int i = 0; i < 100; i++) {
    const double start = Now();
    loop(kPasses);
    best = std::min(best, Now() - start);
  }
  std::printf("%s,%s,peak,0,0,0,%.1f,%s\n", IsaName(isa), mode, operations * 24 * kPasses / best * 1e-9, name);
}

void Peaks(Isa isa) {
  Peak("f32", "vfmadd231ps ymm", Isa::kAvx2, isa, 16, FmaYmm);
  Peak("u8s8", "vpmaddubsw+vpmaddwd+vpaddd ymm", Isa::kAvx2, isa, 64, PairsYmm);
  Peak("f32", "vfmadd231ps zmm", Isa::kAvx512, isa, 32, FmaZmm);
  Peak("u8s8", "vpdpbusd zmm", Isa::kVnni, isa, 128, DotZmm);
}
#else
void Peaks(Isa) {}
#endif

std::vector<Shape> Shapes(bool sweep, bool large) {
  std::vector<Shape> shapes;
  if (sweep) {
    for (uint32_t m = 1; m <= 26; m++) shapes.push_back({"m", m, 256, 256});
    for (uint32_t n = 1; n <= 40; n++) shapes.push_back({"n", 192, n, 256});
    for (uint32_t n = 44; n <= 144; n += 4) shapes.push_back({"n", 192, n, 256});
    for (uint32_t k = 1; k <= 40; k++) shapes.push_back({"k", 192, 64, k});
    for (uint32_t k = 48; k <= 1040; k += 16) shapes.push_back({"k", 192, 64, k});
  }
  if (large) for (uint32_t size : {256, 512, 1024}) shapes.push_back({"large", size, size, size});
  return shapes;
}

void Run(Isa isa, double seconds, bool sweep, bool large) {
  if (large) Peaks(isa);
  const std::vector<Shape> shapes = Shapes(sweep, large);
  for (bool integer : {true, false}) {
    std::vector<Speed> results(shapes.size());
    for (int pass = 0; pass < 2; pass++) {
      for (size_t i = 0; i < shapes.size(); i++) {
        const Speed now = Measure(shapes[i], integer, isa, seconds / 2);
        results[i] = {std::max(results[i].gops, now.gops), now.row};
      }
    }
    for (size_t i = 0; i < shapes.size(); i++) {
      const Shape& s = shapes[i];
      std::printf("%s,%s,%s,%u,%u,%u,%.2f,%s\n", IsaName(isa), integer ? "u8s8" : "f32", s.sweep, s.m, s.n, s.k,
                  results[i].gops, results[i].row.c_str());
    }
  }
}

}  // namespace
}  // namespace lowp

int main(int argc, char** argv) {
  lowp::Isa isa = lowp::ActiveIsa();
  if (argc > 1 && !lowp::ParseIsa(argv[1], &isa)) {
    std::fprintf(stderr, "unknown ISA %s\n", argv[1]);
    return 1;
  }
  isa = std::min(isa, lowp::DetectIsa());
  const double seconds = (argc > 2 ? std::atof(argv[2]) : 20.0) * 1e-3;
  const std::string what = argc > 3 ? argv[3] : "all";
  std::printf("isa,mode,sweep,m,n,k,gops,row\n");
  lowp::Run(isa, seconds, what != "peak", what != "sweep");
  return 0;
}
