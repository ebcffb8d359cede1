// What JavaScript may ask about the machine and the kernels, without a program.
#pragma once
#include <napi.h>

namespace lowp::binding {

// () => { isa, detectedIsa, brand, cores, l1Bytes, l2Bytes, l3Bytes }
Napi::Value CpuInfo(const Napi::CallbackInfo& info);

// () => [{ name, params: [[name, 'u' | 'i' | 'f'], …] }, …], by name
Napi::Value KernelCatalog(const Napi::CallbackInfo& info);

}  // namespace lowp::binding
