// lowp's kernels as a contestant: one prepared call a layer, its tiles over lowp's pool, as the runtime runs them.
//
// Params are set by the names of their fields, so that the same source measures trees whose structs differ.
#include <sched.h>

#include <atomic>
#include <cstring>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "cpu/cache.h"
#include "kernels/kernel.h"
#include "layer.h"
#include "thread/pool.h"

namespace layer_bench {

struct Instance {
  std::vector<uint32_t> params;
  lowp::PreparedPtr call;
  lowp::AlignedPtr<uint8_t> shared, scratch;
  size_t scratch_stride = 0, pixels = 0, channels = 0, in_stride = 0, element = 1, x_bytes = 0, y_bytes = 0;
  bool parallel = false;
  const void* inputs[8] = {};
  void* outputs[1] = {};
};

namespace {

lowp::Isa isa = lowp::Isa::kScalar;
std::unique_ptr<lowp::Pool> pool;
std::string last_error;

// From these on the runtime gives a call to more than one thread (native/src/runtime/executor.cc).
constexpr double kParallelOperations = 1e6;
constexpr size_t kParallelBytes = 64 << 10;

struct PinJob {
  const int* cpus;
  std::vector<std::atomic<bool>> seen;
};

// Pins the calling worker and waits for the others, so that each gets a tile.
void PinWorker(void* argument, size_t worker, size_t, size_t) {
  PinJob& job = *static_cast<PinJob*>(argument);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(job.cpus[worker], &set);
  sched_setaffinity(0, sizeof(set), &set);
  job.seen[worker] = true;
  const auto all = [&] {
    for (const auto& seen : job.seen)
      if (!seen) return false;
    return true;
  };
  while (!all()) sched_yield();
}

const char* Version() { return "lowp"; }

const char* Start(const char* name, const int* cpus, uint32_t threads) {
  if (!lowp::ParseIsa(name, &isa) || lowp::HighestIsa(isa) != isa) return "this CPU does not have the instruction set";
  auto created = lowp::Pool::Create(threads);
  if (!created.ok()) return (last_error = created.status().message()).c_str();
  pool = std::move(created.value());
  if (threads > 1) {
    PinJob job{cpus, std::vector<std::atomic<bool>>(threads)};
    pool->Run(threads, PinWorker, &job);
  }
  return nullptr;
}

class Params {
 public:
  explicit Params(const lowp::KernelDef& kernel) : fields_(kernel.fields()), values_(fields_.size(), 0) {}

  // False when the kernel has no such field.
  bool Set(const char* name, uint32_t value) {
    for (size_t i = 0; i < fields_.size(); i++)
      if (std::strcmp(fields_[i].name, name) == 0) return values_[i] = value, true;
    return false;
  }
  bool Set(const char* name, float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return Set(name, bits);
  }
  std::vector<uint32_t> Take() { return std::move(values_); }

 private:
  lowp::Span<const lowp::ParamField> fields_;
  std::vector<uint32_t> values_;
};

// False when the kernel has no third axis and the layer needs one.
bool SetSpace(const Layer& l, Params* p) {
  const struct { const char* names[3]; const uint32_t (&sizes)[3]; uint32_t neutral; } axes[] = {
      {{"in_d", "in_h", "in_w"}, l.in, 1},
      {{"out_d", "out_h", "out_w"}, l.out, 1},
      {{"kernel_d", "kernel_h", "kernel_w"}, l.kernel, 1},
      {{"stride_d", "stride_h", "stride_w"}, l.stride, 1},
      {{"dilation_d", "dilation_h", "dilation_w"}, l.dilation, 1},
      {{"pad_front", "pad_top", "pad_left"}, l.pad, 0}};
  for (const auto& axis : axes)
    for (int i = 0; i < 3; i++)
      if (!p->Set(axis.names[i], axis.sizes[i]) && axis.sizes[i] != axis.neutral && !l.winograd) return false;
  return true;
}

bool SetParams(const Layer& l, uint32_t in_stride, Params* p) {
  p->Set("low", 0.0f);
  p->Set("high", __builtin_inff());
  p->Set("residual_scale", 1.0f);
  p->Set("mid_scale", 1.0f);
  p->Set("in_stride", in_stride);
  p->Set("out_stride", static_cast<uint32_t>(l.channels()));
  if (l.kind == Kind::kGemm)
    return p->Set("m", l.m) && p->Set("n", l.n) && p->Set("k", l.k) && p->Set("weights_transposed", 1u);
  p->Set("batch", l.batch);
  p->Set("in_c", l.ic);
  p->Set("out_c", l.oc);
  p->Set("groups", l.groups);
  return SetSpace(l, p);
}

lowp::Operand MakeOperand(lowp::ElementType type, size_t elements, const void* constant) {
  lowp::Operand o;
  o.present = true;
  o.type = type;
  o.elements = elements;
  o.constant = constant;
  return o;
}

lowp::Status Prepare(const Layer& l, const Operands& operands, Instance* i) {
  const char* name = l.kind == Kind::kGemm ? "matmul" : l.depthwise() ? "depthwise" : "convolution";
  const lowp::KernelDef* kernel = lowp::FindKernel(name);
  // Trees without it compute the plain sum.
  const lowp::KernelDef* winograd = l.winograd ? lowp::FindKernel("winograd_convolution") : nullptr;
  if (winograd) kernel = winograd;
  if (!kernel) return lowp::Unsupported(std::string("there is no kernel ") + name);
  const uint32_t in_channels = l.kind == Kind::kGemm ? l.k : l.ic;
  // The first layer's pixels are padded to 4 bytes by the conversion in front of it.
  i->in_stride = l.integer() && in_channels == 3 ? 4 : in_channels;
  i->channels = in_channels;
  i->pixels = l.x_count() / in_channels;
  i->element = l.element();
  Params params(*kernel);
  if (!SetParams(l, static_cast<uint32_t>(i->in_stride), &params))
    return lowp::Unsupported(std::string("the kernel ") + name + " has no third axis");
  i->params = params.Take();
  i->x_bytes = i->pixels * i->in_stride * i->element;
  i->y_bytes = l.y_count() * i->element;
  using lowp::ElementType;
  const ElementType type = l.integer() ? ElementType::kU8 : ElementType::kF32;
  std::vector<lowp::Operand> ins = {
      MakeOperand(type, i->pixels * i->in_stride, nullptr),
      MakeOperand(l.integer() ? ElementType::kI8 : ElementType::kF32, l.w_count(), operands.weights),
      MakeOperand(ElementType::kF32, l.channels(), operands.bias)};
  if (l.integer()) ins.push_back(MakeOperand(ElementType::kF32, l.channels(), operands.scale));
  const lowp::Operand out = MakeOperand(type, l.y_count(), nullptr);
  const lowp::CallView view{i->params.data(), {ins.data(), ins.size()}, {&out, 1}};
  LOWP_RETURN_IF_ERROR(kernel->validate(view));
  lowp::PrepareContext context;
  context.isa = isa;
  context.threads = pool->threads();
  const lowp::CacheSizes caches = lowp::DetectCaches();
  context.l1_bytes = caches.l1_bytes;
  context.l2_bytes = caches.l2_bytes;
  auto prepared = kernel->prepare(view, context);
  if (!prepared.ok()) return prepared.status();
  i->call = std::move(prepared.value());
  for (size_t input = 0; input < ins.size(); input++)
    if ((i->call->packed_inputs >> input & 1) == 0) i->inputs[input] = ins[input].constant;
  i->parallel = i->call->operations >= kParallelOperations || i->x_bytes + i->y_bytes + l.w_count() * i->element >= kParallelBytes;
  i->shared = lowp::AllocateAligned<uint8_t>(i->call->shared_bytes);
  i->scratch_stride = (i->call->scratch_bytes + lowp::kReadSlack + 63) & ~size_t{63};
  i->scratch = lowp::AllocateAligned<uint8_t>(i->scratch_stride * pool->threads());
  return i->shared && i->scratch ? lowp::Status() : lowp::Status(lowp::Code::kMemory, "no memory");
}

Instance* Create(const Layer& layer, const Operands& operands, const char** error) {
  auto instance = std::make_unique<Instance>();
  const lowp::Status status = Prepare(layer, operands, instance.get());
  if (status.ok()) return instance.release();
  last_error = status.message();
  *error = last_error.c_str();
  return nullptr;
}

void Destroy(Instance* i) { delete i; }
const char* Implementation(const Instance* i) { return i->call->row; }
size_t XBytes(const Instance* i) { return i->x_bytes; }
size_t YBytes(const Instance* i) { return i->y_bytes; }

void Bind(Instance* i, void* x, void* y) {
  i->inputs[0] = x;
  i->outputs[0] = y;
}

void Load(Instance* i, const void* logical) {
  const size_t row = i->channels * i->element, stride = i->in_stride * i->element;
  uint8_t* to = static_cast<uint8_t*>(const_cast<void*>(i->inputs[0]));
  for (size_t p = 0; p < i->pixels; p++)
    std::memcpy(to + p * stride, static_cast<const uint8_t*>(logical) + p * row, row);
}

void Read(Instance* i, void* logical) { std::memcpy(logical, i->outputs[0], i->y_bytes); }

struct Job {
  const Instance* instance;
  lowp::RunContext context;
  size_t phase;
};

void RunTiles(void* argument, size_t worker, size_t begin, size_t end) {
  const Job& job = *static_cast<const Job*>(argument);
  lowp::RunContext context = job.context;
  context.scratch = job.instance->scratch.get() + worker * job.instance->scratch_stride;
  job.instance->call->Run(context, job.phase, begin, end);
}

void Run(Instance* i) {
  Job job{i, {i->inputs, i->outputs, i->shared.get(), nullptr}, 0};
  for (; job.phase < i->call->phases; job.phase++) {
    const size_t tiles = i->call->tiles[job.phase];
    if (i->parallel) pool->Run(tiles, RunTiles, &job);
    else if (tiles > 0) RunTiles(&job, 0, 0, tiles);
  }
}

}  // namespace
}  // namespace layer_bench

extern "C" __attribute__((visibility("default"))) const layer_bench::Contestant layer_contestant = {
    layer_bench::Version,        layer_bench::Start,  layer_bench::Create, layer_bench::Destroy,
    layer_bench::Implementation, layer_bench::XBytes, layer_bench::YBytes, layer_bench::Bind,
    layer_bench::Load,           layer_bench::Run,    layer_bench::Read};
