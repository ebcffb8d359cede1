// Measurements of the machine for JavaScript.
#pragma once
#include <napi.h>

namespace lowp::binding {

// (isa: string) => { arithmetic: [{ name, type, isa, gops }], reading: [{ level, bytes, gbps }] }; blocks for a second or
// two.
Napi::Value MeasurePeaks(const Napi::CallbackInfo& info);

}  // namespace lowp::binding
