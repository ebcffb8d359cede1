// The exports of the addon, one set per JavaScript environment.
#include <napi.h>

#include "napi/catalog.h"

namespace lowp::binding {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("cpuInfo", Napi::Function::New(env, CpuInfo, "cpuInfo"));
  exports.Set("kernelCatalog", Napi::Function::New(env, KernelCatalog, "kernelCatalog"));
  return exports;
}

}  // namespace lowp::binding

static Napi::Object Register(Napi::Env env, Napi::Object exports) { return lowp::binding::Init(env, exports); }

NODE_API_MODULE(lowp, Register)
