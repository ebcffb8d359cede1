// A layer as the layer bench measures it, and the one-line text form in which lists come from bench/layers/lists.ts.
//
// A line is `key=value` words. Sizes of space are DEPTHxHEIGHTxWIDTH; missing keys have the defaults below.
//   name=conv2_x times=3 kind=conv type=u8s8 batch=1 in=1x56x56 ic=64 out=1x56x56 oc=64 kernel=1x3x3 pad=0x1x1
//   name=ffn1 kind=gemm type=f32 m=128 n=3072 k=768
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace layer_bench {

enum class Kind : uint32_t { kConv, kGemm };

// u8s8: weights spread evenly over all of i8. u8s7: weights of at most 64, with which no pair of products leaves 16 bits.
// trained: normally distributed weights, scaled so that the largest of each output channel is 127.
enum class Type : uint32_t { kF32, kU8S8, kU8S7, kTrained };

struct Layer {
  std::string name;
  uint32_t times = 1;
  Kind kind = Kind::kConv;
  Type type = Type::kF32;
  uint32_t batch = 1, ic = 1, oc = 1, groups = 1;
  uint32_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  uint32_t stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1}, pad[3] = {0, 0, 0};  // pad: in front
  uint32_t m = 0, n = 0, k = 0;
  uint32_t winograd = 0;  // 1: lowp's programs choose the kernel winograd_convolution

  bool integer() const { return type != Type::kF32; }
  bool depthwise() const { return kind == Kind::kConv && groups > 1 && groups == ic && groups == oc; }
  bool volumetric() const { return in[0] > 1 || out[0] > 1 || kernel[0] > 1; }
  size_t element() const { return integer() ? 1 : 4; }
  size_t pixels_in() const { return size_t{batch} * in[0] * in[1] * in[2]; }
  size_t pixels_out() const { return size_t{batch} * out[0] * out[1] * out[2]; }
  size_t taps() const { return size_t{kernel[0]} * kernel[1] * kernel[2]; }
  // Products in one output.
  size_t depth() const { return kind == Kind::kGemm ? k : ic / groups * taps(); }
  size_t channels() const { return kind == Kind::kGemm ? n : oc; }
  // Elements of the logical tensors: x [pixels, ic] or [m, k], y [pixels, oc] or [m, n], weights [channels, depth].
  size_t x_count() const { return kind == Kind::kGemm ? size_t{m} * k : pixels_in() * ic; }
  size_t y_count() const { return kind == Kind::kGemm ? size_t{m} * n : pixels_out() * oc; }
  size_t w_count() const { return channels() * depth(); }
  double operations() const { return 2.0 * static_cast<double>(y_count()) * static_cast<double>(depth()); }
};

// False with a message when the line is not a layer.
bool ParseLayer(const std::string& line, Layer* layer, std::string* error);

// Logical operands, channels last; weights are [oc, ic / groups, depth, height, width] or [n, k].
// f32:   y = max(0, sum of x * w + bias)
// u8:    y = max(0, rint((sum of x * w) * scale + bias)) saturated to bytes
struct Operands {
  const void* x;
  const void* weights;
  const float* bias;
  const float* scale;  // null for f32
};

// What a shared library of a contestant exports as `layer_contestant`. One thread calls; errors come as text.
struct Instance;
struct Contestant {
  const char* (*version)();
  // `isa` is scalar, avx2, avx512 or vnni; thread i may be pinned to cpus[i]. Null or an error. Called once.
  const char* (*start)(const char* isa, const int* cpus, uint32_t threads);
  // Packs the weights. Null when the layer is not supported; `*error` then says why.
  Instance* (*create)(const Layer& layer, const Operands& operands, const char** error);
  void (*destroy)(Instance*);
  const char* (*implementation)(const Instance*);
  // Sizes of the contestant's own forms of x and y.
  size_t (*x_bytes)(const Instance*);
  size_t (*y_bytes)(const Instance*);
  // Both are 64-byte aligned with 128 readable bytes behind them.
  void (*bind)(Instance*, void* x, void* y);
  void (*load)(Instance*, const void* logical_x);
  void (*run)(Instance*);
  void (*read)(Instance*, void* logical_y);
};

}  // namespace layer_bench
