// oneDNN's primitives (interface of version 2) as a contestant: formats are its own choice.
//
// A layer becomes several candidate primitives: convolution with format_tag::any and with channels last, matmul and
// inner product for a matrix product. The fastest of a short trial runs. Reorders of x and y are not timed.
#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <vector>

#include "layer.h"

namespace layer_bench {

namespace d = dnnl;

// A primitive with packed weights, and the forms of its x and y.
struct Candidate {
  d::primitive primitive;
  d::memory::desc x, y;
  d::memory weights, bias;
  std::string name;
};

struct Instance {
  Candidate chosen;
  d::memory x, y;
  std::unordered_map<int, d::memory> arguments;
  d::memory::desc logical_x, logical_y;
};

namespace {

using Tag = d::memory::format_tag;
using DataType = d::memory::data_type;
using Dims = d::memory::dims;

std::string last_error, version_text;

d::engine& Engine() {
  static d::engine engine(d::engine::kind::cpu, 0);
  return engine;
}

d::stream& Stream() {
  static d::stream stream(Engine());
  return stream;
}

const char* Version() {
  const dnnl_version_t* v = dnnl_version();
  version_text = std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  return version_text.c_str();
}

const char* Start(const char* isa, const int* cpus, uint32_t threads) {
  const std::string name = isa;
  if (name == "scalar") return "oneDNN has no scalar level";
  const d::cpu_isa level = name == "avx2"      ? d::cpu_isa::avx2
                           : name == "avxvnni" ? d::cpu_isa::avx2_vnni
                           : name == "avx512"  ? d::cpu_isa::avx512_core
                                           : name == "vnni"    ? d::cpu_isa::avx512_core_vnni
                                               : d::cpu_isa::avx512_core_amx;
  if (d::set_max_cpu_isa(level) != d::status::success) return "oneDNN refused the instruction set";
  omp_set_dynamic(0);
  omp_set_num_threads(static_cast<int>(threads));
  if (threads > 1) {
#pragma omp parallel num_threads(threads)
    {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(cpus[omp_get_thread_num()], &set);
      sched_setaffinity(0, sizeof(set), &set);
    }
  }
  return nullptr;
}

// The shapes and operands of one layer in oneDNN's terms. Spatial axes: two, or three for volumes.
struct Problem {
  const Layer& layer;
  const Operands& operands;

  DataType data() const { return layer.integer() ? DataType::u8 : DataType::f32; }
  DataType weight() const { return layer.integer() ? DataType::s8 : DataType::f32; }

  // Leading sizes, then the sizes of space.
  Dims Space(Dims leading, const uint32_t (&space)[3], int64_t offset = 0) const {
    for (int axis = layer.volumetric() ? 0 : 1; axis < 3; axis++) leading.push_back(space[axis] + offset);
    return leading;
  }
  Dims X() const { return layer.kind == Kind::kGemm ? Dims{layer.m, layer.k} : Space({layer.batch, layer.ic}, layer.in); }
  Dims Y() const { return layer.kind == Kind::kGemm ? Dims{layer.m, layer.n} : Space({layer.batch, layer.oc}, layer.out); }
  Dims Weights() const {
    if (layer.kind == Kind::kGemm) return {layer.n, layer.k};
    const uint32_t g = layer.groups;
    return g == 1 ? Space({layer.oc, layer.ic}, layer.kernel) : Space({g, layer.oc / g, layer.ic / g}, layer.kernel);
  }
  Tag ChannelsLast() const { return layer.kind == Kind::kGemm ? Tag::ab : layer.volumetric() ? Tag::ndhwc : Tag::nhwc; }
  Tag PlainWeights() const {
    if (layer.kind == Kind::kGemm) return Tag::ab;
    if (layer.groups == 1) return layer.volumetric() ? Tag::oidhw : Tag::oihw;
    return layer.volumetric() ? Tag::goidhw : Tag::goihw;
  }

  // ReLU, and scales by output channel; oneDNN adds the bias to the accumulator, in front of the scale.
  d::primitive_attr Attributes() const {
    d::primitive_attr attributes;
    if (layer.integer()) {
      attributes.set_output_scales(1 << 1, std::vector<float>(operands.scale, operands.scale + layer.channels()));
    }
    d::post_ops after;
    after.append_eltwise(1.0f, d::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(after);
    return attributes;
  }
  std::vector<float> Bias() const {
    std::vector<float> bias(operands.bias, operands.bias + layer.channels());
    for (size_t n = 0; layer.integer() && n < bias.size(); n++) bias[n] /= operands.scale[n];
    return bias;
  }
};

void Reorder(const d::memory& from, d::memory& to) {
  d::reorder(from, to).execute(Stream(), const_cast<d::memory&>(from), to);
  Stream().wait();
}

// Fills a candidate from any primitive descriptor of the kinds used here; `plain` describes the logical weights.
template <class Primitive, class Descriptor>
Candidate Pack(const Problem& p, const Descriptor& pd, const d::memory::desc& plain, const char* formats) {
  Candidate c;
  c.primitive = Primitive(pd);
  c.x = pd.src_desc();
  c.y = pd.dst_desc();
  d::memory logical(plain, Engine(), const_cast<void*>(p.operands.weights));
  c.weights = d::memory(pd.weights_desc(), Engine());
  Reorder(logical, c.weights);
  c.bias = d::memory(pd.bias_desc(), Engine());
  const std::vector<float> bias = p.Bias();
  std::memcpy(c.bias.get_data_handle(), bias.data(), bias.size() * sizeof(float));
  c.name = std::string(pd.impl_info_str()) + formats;
  return c;
}

Candidate MakeConvolution(const Problem& p, Tag tag) {
  const Layer& l = p.layer;
  const d::memory::desc x(p.X(), p.data(), tag), y(p.Y(), p.data(), tag), w(p.Weights(), p.weight(), Tag::any);
  const d::memory::desc b({l.oc}, DataType::f32, Tag::a);
  uint32_t behind[3];
  for (int i = 0; i < 3; i++) {
    const uint32_t reach = (l.out[i] - 1) * l.stride[i] + (l.kernel[i] - 1) * l.dilation[i] + 1;
    behind[i] = reach > l.in[i] + l.pad[i] ? reach - l.in[i] - l.pad[i] : 0;
  }
  const d::convolution_forward::desc desc(d::prop_kind::forward_inference, d::algorithm::convolution_direct, x, w, b, y,
                                          p.Space({}, l.stride), p.Space({}, l.dilation, -1), p.Space({}, l.pad),
                                          p.Space({}, behind));
  const d::convolution_forward::primitive_desc pd(desc, p.Attributes(), Engine());
  return Pack<d::convolution_forward>(p, pd, {p.Weights(), p.weight(), p.PlainWeights()},
                                      tag == Tag::any ? " any" : " channels last");
}

Candidate MakeInnerProduct(const Problem& p, Tag tag) {
  const Layer& l = p.layer;
  const d::memory::desc x({l.m, l.k}, p.data(), tag), y({l.m, l.n}, p.data(), tag);
  const d::memory::desc w({l.n, l.k}, p.weight(), Tag::any), b({l.n}, DataType::f32, Tag::a);
  const d::inner_product_forward::desc desc(d::prop_kind::forward_inference, x, w, b, y);
  const d::inner_product_forward::primitive_desc pd(desc, p.Attributes(), Engine());
  return Pack<d::inner_product_forward>(p, pd, {{l.n, l.k}, p.weight(), Tag::ab}, " inner product");
}

Candidate MakeMatmul(const Problem& p, Tag) {
  const Layer& l = p.layer;
  const d::memory::desc x({l.m, l.k}, p.data(), Tag::ab), y({l.m, l.n}, p.data(), Tag::ab);
  const d::memory::desc w({l.k, l.n}, p.weight(), Tag::any), b({1, l.n}, DataType::f32, Tag::ab);
  const d::matmul::desc desc(x, w, b, y);
  const d::matmul::primitive_desc pd(desc, p.Attributes(), Engine());
  return Pack<d::matmul>(p, pd, {{l.k, l.n}, p.weight(), Tag::ba}, " matmul");
}

std::unordered_map<int, d::memory> Arguments(const Candidate& c, const d::memory& x, const d::memory& y) {
  return {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, c.weights}, {DNNL_ARG_BIAS, c.bias}, {DNNL_ARG_DST, y}};
}

// Seconds of the fastest of some runs on memory of its own.
double Trial(const Candidate& c) {
  d::memory x(c.x, Engine()), y(c.y, Engine());
  std::memset(x.get_data_handle(), 0, c.x.get_size());
  const auto arguments = Arguments(c, x, y);
  double best = 1e9, total = 0;
  for (int run = 0; run < 4 || (run < 40 && total < 0.01); run++) {
    const auto begin = std::chrono::steady_clock::now();
    c.primitive.execute(Stream(), arguments);
    Stream().wait();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    best = run == 0 ? best : std::min(best, seconds);
    total += seconds;
  }
  return best;
}

void TryCandidate(Candidate (*make)(const Problem&, Tag), const Problem& p, Tag tag, double* best, Candidate* chosen) {
  try {
    Candidate candidate = make(p, tag);
    const double seconds = Trial(candidate);
    if (seconds >= *best) return;
    *best = seconds;
    *chosen = std::move(candidate);
  } catch (const d::error& error) {
    last_error = std::string("oneDNN: ") + error.what();
  }
}

Instance* Create(const Layer& layer, const Operands& operands, const char** error) {
  const Problem p{layer, operands};
  auto instance = std::make_unique<Instance>();
  double best = 1e9;
  if (layer.kind == Kind::kGemm) {
    TryCandidate(MakeMatmul, p, Tag::ab, &best, &instance->chosen);
    TryCandidate(MakeInnerProduct, p, Tag::any, &best, &instance->chosen);
  } else {
    TryCandidate(MakeConvolution, p, Tag::any, &best, &instance->chosen);
    TryCandidate(MakeConvolution, p, p.ChannelsLast(), &best, &instance->chosen);
  }
  if (best == 1e9) {
    *error = last_error.c_str();
    return nullptr;
  }
  instance->logical_x = d::memory::desc(p.X(), p.data(), p.ChannelsLast());
  instance->logical_y = d::memory::desc(p.Y(), p.data(), p.ChannelsLast());
  return instance.release();
}

void Destroy(Instance* i) { delete i; }
const char* Implementation(const Instance* i) { return i->chosen.name.c_str(); }
size_t XBytes(const Instance* i) { return i->chosen.x.get_size(); }
size_t YBytes(const Instance* i) { return i->chosen.y.get_size(); }

void Bind(Instance* i, void* x, void* y) {
  i->x = d::memory(i->chosen.x, Engine(), x);
  i->y = d::memory(i->chosen.y, Engine(), y);
  i->arguments = Arguments(i->chosen, i->x, i->y);
}

void Load(Instance* i, const void* logical) {
  Reorder(d::memory(i->logical_x, Engine(), const_cast<void*>(logical)), i->x);
}

void Run(Instance* i) {
  i->chosen.primitive.execute(Stream(), i->arguments);
  Stream().wait();
}

void Read(Instance* i, void* logical) {
  d::memory to(i->logical_y, Engine(), logical);
  Reorder(i->y, to);
}

}  // namespace
}  // namespace layer_bench

extern "C" __attribute__((visibility("default"))) const layer_bench::Contestant layer_contestant = {
    layer_bench::Version,        layer_bench::Start,  layer_bench::Create, layer_bench::Destroy,
    layer_bench::Implementation, layer_bench::XBytes, layer_bench::YBytes, layer_bench::Bind,
    layer_bench::Load,           layer_bench::Run,    layer_bench::Read};
