// The exports of the addon, one set per JavaScript environment.
#include <napi.h>

#include "napi/catalog.h"
#include "napi/env_data.h"
#include "napi/errors.h"
#include "napi/peaks.h"
#include "napi/program_wrap.h"
#include "napi/session_wrap.h"

namespace lowp::binding {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto data = std::make_unique<EnvData>();
  data->completions = Completions::Create(env);
  if (!data->completions) {
    Throw(env, Status(Code::kInternal, "the environment refuses a thread-safe function"));
    return exports;
  }
  data->program_class = Napi::Persistent(ProgramWrap::DefineClass(env));
  data->session_class = Napi::Persistent(SessionWrap::DefineClass(env));
  env.SetInstanceData(data.release());
  exports.Set("cpuInfo", Napi::Function::New(env, CpuInfo, "cpuInfo"));
  exports.Set("kernelCatalog", Napi::Function::New(env, KernelCatalog, "kernelCatalog"));
  exports.Set("measurePeaks", Napi::Function::New(env, MeasurePeaks, "measurePeaks"));
  exports.Set("compile", Napi::Function::New(env, CompileProgram, "compile"));
  return exports;
}

}  // namespace lowp::binding

static Napi::Object Register(Napi::Env env, Napi::Object exports) { return lowp::binding::Init(env, exports); }

NODE_API_MODULE(lowp, Register)
