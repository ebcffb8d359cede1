// Conversions to i32 and i64.
#include "kernels/convert/whole.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace lowp {
namespace {

template <class To>
struct Converter;

template <>
struct Converter<int32_t> {
  static int32_t Of(int64_t v) {
    return static_cast<int32_t>(std::clamp<int64_t>(v, std::numeric_limits<int32_t>::min(),
                                                    std::numeric_limits<int32_t>::max()));
  }
  static int32_t Of(float v) {
    if (std::isnan(v)) return 0;
    if (v >= 0x1p31f) return std::numeric_limits<int32_t>::max();
    return v <= -0x1p31f ? std::numeric_limits<int32_t>::min() : static_cast<int32_t>(v);
  }
};

template <>
struct Converter<int64_t> {
  static int64_t Of(int64_t v) { return v; }
  static int64_t Of(float v) {
    if (std::isnan(v)) return 0;
    if (v >= 0x1p63f) return std::numeric_limits<int64_t>::max();
    return v <= -0x1p63f ? std::numeric_limits<int64_t>::min() : static_cast<int64_t>(v);
  }
};

template <class From, class To>
void Numbers(const void* x, void* y, size_t n) {
  using Widest = std::conditional_t<std::is_same_v<From, float>, float, int64_t>;
  const From* from = static_cast<const From*>(x);
  To* to = static_cast<To*>(y);
  for (size_t i = 0; i < n; i++) to[i] = Converter<To>::Of(Widest{from[i]});
}

template <class To>
void Booleans(const void* x, void* y, size_t n) {
  const uint8_t* from = static_cast<const uint8_t*>(x);
  To* to = static_cast<To*>(y);
  for (size_t i = 0; i < n; i++) to[i] = from[i] ? 1 : 0;
}

template <class To>
WholeFunction FunctionTo(ElementType from) {
  switch (from) {
    case ElementType::kF32: return Numbers<float, To>;
    case ElementType::kU8: return Numbers<uint8_t, To>;
    case ElementType::kI8: return Numbers<int8_t, To>;
    case ElementType::kI16: return Numbers<int16_t, To>;
    case ElementType::kI32: return Numbers<int32_t, To>;
    case ElementType::kI64: return Numbers<int64_t, To>;
    case ElementType::kBoolean: return Booleans<To>;
    case ElementType::kF16: break;
  }
  return nullptr;
}

}  // namespace

WholeFunction WholeFunctionOf(ElementType from, ElementType to) {
  if (to == ElementType::kI32) return FunctionTo<int32_t>(from);
  return to == ElementType::kI64 ? FunctionTo<int64_t>(from) : nullptr;
}

}  // namespace lowp
