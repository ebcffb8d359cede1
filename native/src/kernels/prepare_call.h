// How a kernel whose preparation can fail makes its prepared call.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

// A Call, a PreparedCall with Status Prepare(call, context), once that has succeeded.
template <class Call>
Result<PreparedPtr> PrepareCall(const CallView& call, const PrepareContext& context) {
  auto prepared = std::make_unique<Call>();
  LOWP_RETURN_IF_ERROR(prepared->Prepare(call, context));
  return PreparedPtr(std::move(prepared));
}

}  // namespace lowp
