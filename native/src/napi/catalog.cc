// CPU facts and the kernel catalog as plain JavaScript objects.
#include "napi/catalog.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu/cache.h"
#include "cpu/isa.h"
#include "kernels/kernel.h"

namespace lowp::binding {

Napi::Value CpuInfo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const CacheSizes caches = DetectCaches();
  Napi::Object result = Napi::Object::New(env);
  result.Set("isa", IsaName(ActiveIsa()));
  result.Set("detectedIsa", IsaName(DetectIsa()));
  Napi::Array isas = Napi::Array::New(env);
  for (const Isa isa : kIsas)
    if (HighestIsa(isa) == isa && isa <= ActiveIsa()) isas.Set(isas.Length(), IsaName(isa));
  result.Set("isas", isas);
  result.Set("brand", CpuBrand());
  result.Set("cores", static_cast<double>(UsableCores()));
  result.Set("l1Bytes", static_cast<double>(caches.l1_bytes));
  result.Set("l2Bytes", static_cast<double>(caches.l2_bytes));
  result.Set("l3Bytes", static_cast<double>(caches.l3_bytes));
  return result;
}

namespace {

Napi::Array Fields(Napi::Env env, Span<const ParamField> fields) {
  Napi::Array result = Napi::Array::New(env, fields.size());
  for (size_t i = 0; i < fields.size(); i++) {
    Napi::Array field = Napi::Array::New(env, 2);
    field.Set(0u, fields[i].name);
    field.Set(1u, std::string(1, fields[i].kind));
    result.Set(static_cast<uint32_t>(i), field);
  }
  return result;
}

}  // namespace

Napi::Value KernelCatalog(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Span<const KernelDef* const> all = AllKernels();
  std::vector<const KernelDef*> kernels(all.begin(), all.end());
  std::sort(kernels.begin(), kernels.end(),
            [](const KernelDef* a, const KernelDef* b) { return std::strcmp(a->name, b->name) < 0; });
  Napi::Array result = Napi::Array::New(env, kernels.size());
  for (size_t i = 0; i < kernels.size(); i++) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", kernels[i]->name);
    entry.Set("params", Fields(env, kernels[i]->fields()));
    result.Set(static_cast<uint32_t>(i), entry);
  }
  return result;
}

}  // namespace lowp::binding
