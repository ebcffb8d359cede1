// Times kernel calls on one thread: every runnable instruction set, the fastest and the median of many runs, beside
// memcpy of as many bytes, so that a line reads as a ratio to the speed of memory.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "base/aligned.h"
#include "cpu/isa.h"
#include "kernels/kernel.h"

namespace lowp::bench {

// An operand with its memory: floats in [-4, 4), small codes otherwise. Constants keep their data for prepare().
struct Data {
  Operand operand;
  AlignedPtr<uint8_t> bytes;

  size_t size() const { return operand.elements * SizeOf(operand.type); }
};

inline Data MakeData(ElementType type, size_t elements, bool constant = false) {
  Data d;
  d.operand = {true, type, elements, nullptr};
  d.bytes = AllocateAligned<uint8_t>(d.size());
  if (!d.bytes) std::abort();
  std::mt19937 random(1);
  if (type == ElementType::kF32) {
    float* values = reinterpret_cast<float*>(d.bytes.get());
    for (size_t i = 0; i < elements; i++) values[i] = static_cast<float>(random() >> 8) * 0x1p-21f - 4.0f;
  } else {
    for (size_t i = 0; i < d.size(); i++) d.bytes[i] = static_cast<uint8_t>(random() >> 24);
  }
  if (constant) d.operand.constant = d.bytes.get();
  return d;
}

struct Times {
  double fastest, median;  // seconds
};

// At least 15 runs and 60 ms.
template <class F>
Times Measure(F run) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  double total = 0;
  run();
  while (seconds.size() < 15 || total < 0.06) {
    const auto begin = Clock::now();
    run();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    total += seconds.back();
  }
  std::sort(seconds.begin(), seconds.end());
  return {seconds.front(), seconds[seconds.size() / 2]};
}

// One line for each instruction set. Bytes are those of x and y, inputs 0 and output 0 (and input 1 when not constant).
inline void BenchCall(const char* title, const KernelDef& kernel, const void* params, std::vector<const Data*> inputs,
                      const Data& output) {
  std::vector<Operand> ins;
  std::vector<const void*> in;
  size_t read = 0;
  for (const Data* d : inputs) {
    ins.push_back(d->operand);
    in.push_back(d->bytes.get());
    if (!d->operand.constant) read += d->size();
  }
  const Operand outs[1] = {output.operand};
  void* const out[1] = {output.bytes.get()};
  const CallView view{params, {ins.data(), ins.size()}, {outs, 1}};
  const size_t bytes = read + output.size();
  const Status status = kernel.validate(view);
  if (!status.ok()) {
    std::fprintf(stderr, "%s: %s\n", title, status.message().c_str());
    std::abort();
  }
  AlignedPtr<uint8_t> from = AllocateAligned<uint8_t>(bytes / 2 + 1), to = AllocateAligned<uint8_t>(bytes / 2 + 1);
  const Times copy = Measure([&] {
    std::memcpy(to.get(), from.get(), bytes / 2);
    asm volatile("" : : "r"(to.get()) : "memory");
  });
  for (Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (isa > ActiveIsa()) break;
    PrepareContext context;
    context.isa = isa;
    Result<PreparedPtr> prepared = kernel.prepare(view, context);
    if (!prepared.ok()) std::abort();
    const PreparedCall& call = *prepared.value();
    AlignedPtr<uint8_t> shared = AllocateAligned<uint8_t>(call.shared_bytes + 1);
    AlignedPtr<uint8_t> scratch = AllocateAligned<uint8_t>(call.scratch_bytes + 1);
    const RunContext run{in.data(), out, shared.get(), scratch.get()};
    if (call.accumulates) call.Reset(run);
    const Times t = Measure([&] {
      for (size_t phase = 0; phase < call.phases; phase++) call.Run(run, phase, 0, call.tiles[phase]);
    });
    const double gigabytes = static_cast<double>(bytes) * 1e-9;
    std::printf("%-34s %-28s %9.1f us (median %9.1f)  %6.1f GB/s  %5.2f x memcpy\n", title, call.row, t.fastest * 1e6,
                t.median * 1e6, gigabytes / t.fastest, copy.fastest / t.fastest);
  }
}

}  // namespace lowp::bench
