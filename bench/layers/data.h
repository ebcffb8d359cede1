// Made-up operands of a layer, and the comparison of two results.
#pragma once
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "layer.h"

namespace layer_bench {

struct Data {
  std::vector<uint8_t> x, weights;
  std::vector<float> bias, scale;

  Operands operands(bool integer) const {
    return {x.data(), weights.data(), bias.data(), integer ? scale.data() : nullptr};
  }
};

// One output channel of weights as training leaves them: normal, the largest of size 127.
inline void FillTrained(std::mt19937* random, int8_t* weights, size_t depth) {
  std::vector<float> values(depth);
  float largest = 0;
  for (float& value : values) {
    value = -6;
    for (int i = 0; i < 12; i++) value += static_cast<float>((*random)() >> 8) * 0x1p-24f;  // nearly normal, sigma 1
    largest = std::max(largest, std::fabs(value));
  }
  for (size_t i = 0; i < depth; i++) weights[i] = static_cast<int8_t>(std::lround(values[i] * 127 / largest));
}

// Uniform x and weights (trained: see above). Floats keep the size of x from layer to layer; bytes give results
// spread over the whole range.
inline Data MakeData(const Layer& l, uint32_t most_weight) {
  Data data;
  std::mt19937 random(1);
  const auto unit = [&] { return static_cast<float>(random() >> 8) * 0x1p-24f; };
  const float root = std::sqrt(static_cast<float>(l.depth()));
  const auto fill = [&](std::vector<uint8_t>* bytes, size_t count, float low, float high) {
    bytes->resize(count * sizeof(float));
    float* values = reinterpret_cast<float*>(bytes->data());
    for (size_t i = 0; i < count; i++) values[i] = low + (high - low) * unit();
  };
  if (!l.integer()) {
    fill(&data.x, l.x_count(), -1, 1);
    fill(&data.weights, l.w_count(), -2.4f / root, 2.4f / root);
    for (size_t n = 0; n < l.channels(); n++) data.bias.push_back(0.2f * unit() - 0.1f);
    return data;
  }
  data.x.resize(l.x_count());
  for (uint8_t& value : data.x) value = static_cast<uint8_t>(random() >> 24);
  data.weights.resize(l.w_count());
  const bool trained = l.type == Type::kTrained && most_weight == 127;
  for (size_t n = 0; trained && n < l.channels(); n++)
    FillTrained(&random, reinterpret_cast<int8_t*>(data.weights.data()) + n * l.depth(), l.depth());
  if (!trained)
    for (uint8_t& value : data.weights)
      value = static_cast<uint8_t>(static_cast<int>(random() % (2 * most_weight + 1)) - static_cast<int>(most_weight));
  for (size_t n = 0; n < l.channels(); n++) {
    data.scale.push_back((0.75f + 0.5f * unit()) * 60 / (root * 85 * static_cast<float>(most_weight)));
    data.bias.push_back(80 * unit() - 20);
  }
  return data;
}

struct Difference {
  double largest = 0;  // steps of a byte, or of the largest float
  double share = 0;    // of bytes that are more than one step apart
};

inline Difference Compare(const Layer& l, const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  Difference d;
  size_t apart = 0;
  float magnitude = 0;
  const float* fa = reinterpret_cast<const float*>(a.data());
  const float* fb = reinterpret_cast<const float*>(b.data());
  for (size_t i = 0; i < l.y_count(); i++) {
    const double difference = l.integer() ? std::abs(a[i] - b[i]) : std::fabs(fa[i] - fb[i]);
    if (!l.integer()) magnitude = std::max(magnitude, std::fabs(fa[i]));
    if (!(difference <= d.largest)) d.largest = difference;
    apart += difference > 1;
  }
  if (l.integer()) d.share = static_cast<double>(apart) / static_cast<double>(l.y_count());
  else d.largest /= magnitude;
  return d;
}

}  // namespace layer_bench
