// `observe` without vector instructions: the definition of its results.
#include <cmath>

#include "kernels/observe/rows.h"

namespace lowp {
namespace {

constexpr float kInfinity = __builtin_inff();

// Adds x to the statistics, its value to *sum.
void Take(float x, double* sum, ObservePartial* out) {
  if (!std::isfinite(x)) {
    out->non_finite++;
    return;
  }
  *sum += static_cast<double>(x);
  if (x < out->min) out->min = x;
  if (x > out->max) out->max = x;
}

void Lanes(const float* x, size_t run, size_t count, size_t stride, ObservePartial* out) {
  double s[16] = {};
  *out = {0.0, kInfinity, -kInfinity, 0};
  for (size_t r = 0; r < count; r++)
    for (size_t j = 0; j < run; j++) Take(x[r * stride + j], &s[j % 16], out);
  for (size_t half = 8; half > 0; half /= 2)
    for (size_t j = 0; j < half; j++) s[j] += s[j + half];
  out->sum = s[0];
}

void Columns(const float* x, size_t rows, size_t stride, size_t channels, ObservePartial* out) {
  for (size_t c = 0; c < channels; c++) {
    double sum = 0.0;
    out[c] = {0.0, kInfinity, -kInfinity, 0};
    for (size_t r = 0; r < rows; r++) Take(x[r * stride + c], &sum, &out[c]);
    out[c].sum = sum;
  }
}

}  // namespace

const ObserveRows observe_f32_scalar = {Lanes, Columns};

}  // namespace lowp
