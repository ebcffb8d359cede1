// How kernels make their prepared calls.
#pragma once
#include <new>
#include <utility>

#include "kernels/kernel.h"

namespace lowp {

// A Call, a PreparedCall of the kernel of that name, made of the arguments.
template <class Call, class... Arguments>
Result<PreparedPtr> MakeCall(const char* kernel, Arguments&&... arguments) {
  PreparedPtr prepared(new (std::nothrow) Call(std::forward<Arguments>(arguments)...));
  if (!prepared) return Status(Code::kMemory, std::string(kernel) + ": out of memory");
  return prepared;
}

// A Call, a PreparedCall with Status Prepare(call, context), once that has succeeded.
template <class Call>
Result<PreparedPtr> PrepareCall(const CallView& call, const PrepareContext& context) {
  auto prepared = std::make_unique<Call>();
  LOWP_RETURN_IF_ERROR(prepared->Prepare(call, context));
  return PreparedPtr(std::move(prepared));
}

}  // namespace lowp
