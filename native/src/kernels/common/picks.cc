// Checks of picks, and what is said of indices that lie outside.
#include "kernels/common/picks.h"

namespace lowp {
namespace {

// total += steps * stride; false on overflow.
bool AddSpan(uint64_t steps, uint64_t stride, uint64_t* total) {
  uint64_t span = 0;
  return CheckedMul(steps, stride, &span) && !__builtin_add_overflow(*total, span, total);
}

}  // namespace

Status Picks::Validate(const std::string& kernel, const Operand& indices, uint64_t addressed, uint64_t listed) const {
  LOWP_REQUIRE(indices.present && (indices.type == ElementType::kI32 || indices.type == ElementType::kI64),
               kernel + ": the indices must be i32 or i64");
  LOWP_REQUIRE(rank >= 1 && rank <= kMaxPickAxes && depth >= 1 && depth <= kMaxPickAxes,
               kernel + ": rank and depth must be 1 to 6, found " + std::to_string(rank) + " and " +
                   std::to_string(depth));
  LOWP_REQUIRE(block > 0, kernel + ": block must be positive");
  uint64_t picks = block, last_index = depth - 1, last_element = block - 1;
  bool fits = true;
  for (size_t j = 0; j < rank; j++) {
    LOWP_REQUIRE(counts[j] > 0 && index_strides[j] % depth == 0,
                 kernel + ": counts must be positive and index strides multiples of the depth");
    fits = fits && CheckedMul(picks, counts[j], &picks) && AddSpan(counts[j] - 1, index_strides[j], &last_index) &&
           AddSpan(counts[j] - 1, base_strides[j], &last_element);
  }
  for (size_t d = 0; d < depth; d++) {
    LOWP_REQUIRE(sizes[d] > 0, kernel + ": sizes must be positive");
    fits = fits && AddSpan(sizes[d] - 1, steps[d], &last_element);
  }
  LOWP_REQUIRE(fits, kernel + ": the number of elements does not fit 64 bits");
  LOWP_REQUIRE(last_index < indices.elements, kernel + ": index " + std::to_string(last_index) + " is read of " +
                                                  std::to_string(indices.elements));
  LOWP_REQUIRE(last_element < addressed, kernel + ": element " + std::to_string(last_element) + " can be named of " +
                                             std::to_string(addressed));
  LOWP_REQUIRE(picks == listed, kernel + ": the picks have " + std::to_string(picks) + " elements, expected " +
                                    std::to_string(listed));
  return Status();
}

uint64_t Picks::count() const {
  uint64_t picks = 1;
  for (size_t j = 0; j < rank; j++) picks *= counts[j];
  return picks;
}

uint64_t Picks::Reach(size_t from) const {
  uint64_t last = block - 1;
  for (size_t j = from; j < rank; j++) last += (counts[j] - 1) * base_strides[j];
  for (size_t d = 0; d < depth; d++) last += (sizes[d] - 1) * steps[d];
  return last + 1;
}

std::string Picks::Describe(const void* indices, ElementType type, uint64_t position) const {
  const int64_t index = type == ElementType::kI64 ? static_cast<const int64_t*>(indices)[position]
                                                  : static_cast<const int32_t*>(indices)[position];
  return "index " + std::to_string(index) + " at position " + std::to_string(position) +
         " lies outside of an axis with " + std::to_string(sizes[position % depth]) + " elements";
}

}  // namespace lowp
