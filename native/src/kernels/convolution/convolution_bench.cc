// Times the convolution kernel on the layers of ResNet-50, MobileNetV1 and MobileNetV2 and on fully connected shapes.
//
// usage: convolution_bench [scalar|avx2|avx512|vnni|native] [seconds per layer and mode]
// One thread, batch 1, u8 x i8 -> u8 and f32, best of many runs, the modes of a layer in turns. Integer weights are like
// trained ones, normal in every channel with the largest at 127 ("u8s8"). Below VNNI, where the speed depends on the
// weights, also uniform over the whole range ("flat", the worst case) and half range ("u8s7", the best).
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "base/aligned.h"
#include "kernels/convolution/convolution.h"

namespace lowp {
namespace {

struct Layer {
  const char* net;
  uint32_t times, in_c, size, out_c, kernel, stride;
};

constexpr Layer kLayers[] = {
    {"resnet50", 1, 3, 224, 64, 7, 2}, {"resnet50", 1, 64, 56, 64, 1, 1}, {"resnet50", 3, 64, 56, 64, 3, 1},
    {"resnet50", 4, 64, 56, 256, 1, 1}, {"resnet50", 2, 256, 56, 64, 1, 1}, {"resnet50", 1, 256, 56, 128, 1, 1},
    {"resnet50", 1, 128, 56, 128, 3, 2}, {"resnet50", 4, 128, 28, 512, 1, 1}, {"resnet50", 1, 256, 56, 512, 1, 2},
    {"resnet50", 3, 512, 28, 128, 1, 1}, {"resnet50", 3, 128, 28, 128, 3, 1}, {"resnet50", 1, 512, 28, 256, 1, 1},
    {"resnet50", 1, 256, 28, 256, 3, 2}, {"resnet50", 6, 256, 14, 1024, 1, 1}, {"resnet50", 1, 512, 28, 1024, 1, 2},
    {"resnet50", 5, 1024, 14, 256, 1, 1}, {"resnet50", 5, 256, 14, 256, 3, 1}, {"resnet50", 1, 1024, 14, 512, 1, 1},
    {"resnet50", 1, 512, 14, 512, 3, 2}, {"resnet50", 3, 512, 7, 2048, 1, 1}, {"resnet50", 1, 1024, 14, 2048, 1, 2},
    {"resnet50", 2, 2048, 7, 512, 1, 1}, {"resnet50", 2, 512, 7, 512, 3, 1}, {"mobilenet", 1, 3, 224, 32, 3, 2},
    {"mobilenet", 1, 32, 112, 16, 1, 1}, {"mobilenet", 1, 16, 112, 96, 1, 1}, {"mobilenet", 1, 96, 56, 24, 1, 1},
    {"mobilenet", 2, 24, 56, 144, 1, 1}, {"mobilenet", 1, 144, 56, 24, 1, 1}, {"mobilenet", 1, 144, 28, 32, 1, 1},
    {"mobilenet", 2, 32, 28, 192, 1, 1}, {"mobilenet", 2, 192, 28, 32, 1, 1}, {"mobilenet", 1, 192, 14, 64, 1, 1},
    {"mobilenet", 4, 64, 14, 384, 1, 1}, {"mobilenet", 3, 384, 14, 64, 1, 1}, {"mobilenet", 1, 384, 14, 96, 1, 1},
    {"mobilenet", 2, 96, 14, 576, 1, 1}, {"mobilenet", 2, 576, 14, 96, 1, 1}, {"mobilenet", 1, 576, 7, 160, 1, 1},
    {"mobilenet", 3, 160, 7, 960, 1, 1}, {"mobilenet", 2, 960, 7, 160, 1, 1}, {"mobilenet", 1, 960, 7, 320, 1, 1},
    {"mobilenet", 1, 320, 7, 1280, 1, 1}, {"mobilenet1", 1, 32, 112, 64, 1, 1}, {"mobilenet1", 1, 64, 56, 128, 1, 1},
    {"mobilenet1", 5, 512, 14, 512, 1, 1}, {"mobilenet1", 1, 1024, 7, 1024, 1, 1}, {"dense", 1, 2048, 1, 1000, 1, 1},
    {"dense", 1, 768, 1, 768, 1, 1},
};

enum class Mode { kFull, kFlat, kHalf, kFloat };
constexpr const char* kModeNames[] = {"u8s8", "flat", "u8s7", "f32"};

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

ConvolutionParams ParamsOf(const Layer& l, bool integer) {
  ConvolutionParams p = {};
  p.batch = 1;
  p.in_d = p.out_d = p.kernel_d = p.stride_d = p.dilation_d = 1;
  p.in_h = p.in_w = l.size;
  p.in_c = l.in_c;
  p.in_stride = integer && l.in_c == 3 ? 4 : l.in_c;
  p.out_h = p.out_w = (l.size + l.stride - 1) / l.stride;
  p.out_c = p.out_stride = l.out_c;
  p.kernel_h = p.kernel_w = l.kernel;
  p.stride_h = p.stride_w = l.stride;
  p.dilation_h = p.dilation_w = p.groups = 1;
  p.pad_top = p.pad_left = l.kernel / 2;
  p.in_zero_point = integer ? 5 : 0;
  p.low = 0.0f;
  p.high = std::numeric_limits<float>::infinity();
  return p;
}

Operand OperandOf(ElementType type, uint64_t elements, const void* constant) {
  Operand o;
  o.present = true;
  o.type = type;
  o.elements = elements;
  o.constant = constant;
  return o;
}

struct Timing {
  double seconds = 1e9;
  const char* row = "";
  double prepare = 0;
};

// The operands of one layer with made-up values.
struct Data {
  Data(const ConvolutionParams& p, Mode mode) : integer(mode != Mode::kFloat) {
    const size_t element = integer ? 1 : 4;
    x_count = size_t{p.in_h} * p.in_w * p.in_stride;
    y_count = size_t{p.out_h} * p.out_w * p.out_c;
    w_count = size_t{p.out_c} * p.in_c * p.kernel_h * p.kernel_w;
    x = AllocateAligned<uint8_t>(x_count * element);
    y = AllocateAligned<uint8_t>(y_count * element);
    w = AllocateAligned<uint8_t>(w_count * element);
    bias = AllocateAligned<float>(p.out_c);
    scale = AllocateAligned<float>(p.out_c);
    uint32_t state = 1;
    const auto next = [&] { return (state = state * 1664525u + 1013904223u) >> 24; };
    for (size_t i = 0; i < x_count; i++) Put(x.get(), i, static_cast<int>(next()));
    if (mode == Mode::kFull) {
      PutNormal(w_count / p.out_c, p.out_c);
    } else {
      for (size_t i = 0; i < w_count; i++) {
        const int value = static_cast<int>(next()) - 128;
        Put(w.get(), i, mode == Mode::kHalf ? value / 2 : value);
      }
    }
    for (size_t n = 0; n < p.out_c; n++) bias[n] = 10.0f, scale[n] = 0.001f;
  }

  // Weights of one channel lie side by side.
  void PutNormal(size_t depth, size_t channels) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> values(depth);
    for (size_t n = 0; n < channels; n++) {
      float largest = 1e-6f;
      for (float& v : values) v = normal(random), largest = std::max(largest, std::abs(v));
      for (size_t i = 0; i < depth; i++)
        Put(w.get(), n * depth + i, static_cast<int>(std::lround(values[i] / largest * 127.0f)));
    }
  }

  void Put(uint8_t* to, size_t i, int value) {
    if (integer) {
      to[i] = static_cast<uint8_t>(value);
    } else {
      reinterpret_cast<float*>(to)[i] = static_cast<float>(value) / 128.0f;
    }
  }

  bool integer;
  size_t x_count, y_count, w_count;
  AlignedPtr<uint8_t> x, y, w;
  AlignedPtr<float> bias, scale;
};

// One layer in one mode, prepared.
class Contestant {
 public:
  Contestant(const Layer& layer, Mode mode, Isa isa) : p_(ParamsOf(layer, mode != Mode::kFloat)), d_(p_, mode) {
    const ElementType type = d_.integer ? ElementType::kU8 : ElementType::kF32;
    std::vector<Operand> ins = {OperandOf(type, d_.x_count, nullptr),
                                OperandOf(d_.integer ? ElementType::kI8 : ElementType::kF32, d_.w_count, d_.w.get()),
                                OperandOf(ElementType::kF32, p_.out_c, d_.bias.get())};
    if (d_.integer) ins.push_back(OperandOf(ElementType::kF32, p_.out_c, d_.scale.get()));
    const Operand out = OperandOf(type, d_.y_count, nullptr);
    const CallView view{&p_, {ins.data(), ins.size()}, {&out, 1}};
    const Status status = kernel_convolution.validate(view);
    PrepareContext context;
    context.isa = isa;
    const double start = Now();
    Result<PreparedPtr> made = status.ok() ? kernel_convolution.prepare(view, context) : Result<PreparedPtr>(status);
    if (!made.ok()) {
      std::fprintf(stderr, "%s\n", made.status().message().c_str());
      std::exit(1);
    }
    timing.prepare = Now() - start;
    call_ = std::move(made.value());
    timing.row = call_->row;
    shared_ = AllocateAligned<uint8_t>(call_->shared_bytes);
    scratch_ = AllocateAligned<uint8_t>(call_->scratch_bytes);
  }

  void Turn(double seconds) {
    const void* inputs[] = {d_.x.get(), d_.w.get(), d_.bias.get(), d_.scale.get()};
    void* outputs[] = {d_.y.get()};
    const RunContext run{inputs, outputs, shared_.get(), scratch_.get()};
    const double stop = Now() + seconds;
    do {
      const double start = Now();
      for (size_t phase = 0; phase < call_->phases; phase++) call_->Run(run, phase, 0, call_->tiles[phase]);
      timing.seconds = std::min(timing.seconds, Now() - start);
    } while (Now() < stop);
  }

  Timing timing;

 private:
  ConvolutionParams p_;
  Data d_;
  PreparedPtr call_;
  AlignedPtr<uint8_t> shared_, scratch_;
};

struct Sums {
  double resnet = 0, mobilenet = 0, prepare = 0;
};

// The modes of a layer take turns, so that what disturbs one disturbs all.
void MeasureLayer(const Layer& l, const std::vector<Mode>& modes, Isa isa, double seconds, std::vector<Sums>* sums) {
  constexpr int kTurns = 5;
  std::vector<std::unique_ptr<Contestant>> contestants;
  for (Mode mode : modes) contestants.push_back(std::make_unique<Contestant>(l, mode, isa));
  for (int turn = 0; turn < kTurns; turn++)
    for (auto& c : contestants) c->Turn(seconds / kTurns);
  const uint32_t out = (l.size + l.stride - 1) / l.stride;
  const double operations = 2.0 * out * out * l.out_c * l.in_c * l.kernel * l.kernel;
  for (size_t i = 0; i < modes.size(); i++) {
    const Timing& t = contestants[i]->timing;
    std::printf("%-10s %ux ic%-4u h%-3u oc%-4u k%u s%u %-4s %9.1f us %7.1f GOPS  %s\n", l.net, l.times, l.in_c, l.size,
                l.out_c, l.kernel, l.stride, kModeNames[static_cast<int>(modes[i])], t.seconds * 1e6,
                operations / t.seconds * 1e-9, t.row);
    if (std::strcmp(l.net, "resnet50") == 0) {
      (*sums)[i].resnet += t.seconds * l.times;
      (*sums)[i].prepare += t.prepare * l.times;
    } else if (std::strcmp(l.net, "mobilenet") == 0) {
      (*sums)[i].mobilenet += t.seconds * l.times;
    }
  }
}

void MeasureAll(Isa isa, double seconds) {
  std::vector<Mode> modes = {Mode::kFull};
  if (isa != Isa::kVnni) modes.insert(modes.end(), {Mode::kFlat, Mode::kHalf});
  modes.push_back(Mode::kFloat);
  std::vector<Sums> sums(modes.size());
  for (const Layer& l : kLayers) MeasureLayer(l, modes, isa, seconds, &sums);
  for (size_t i = 0; i < modes.size(); i++) {
    const Sums &s = sums[i], &f = sums.back();
    std::printf("sum %s: resnet50 %.2f ms (prepare %.0f ms), mobilenetv2 without depthwise %.2f ms; f32 over it %.2f %.2f\n",
                kModeNames[static_cast<int>(modes[i])], s.resnet * 1e3, s.prepare * 1e3, s.mobilenet * 1e3,
                f.resnet / s.resnet, f.mobilenet / s.mobilenet);
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
  const double seconds = argc > 2 ? std::atof(argv[2]) : 0.05;
  lowp::MeasureAll(isa, seconds);
  return 0;
}
