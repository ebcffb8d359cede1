// Peaks of arithmetic, memory and threads as plain JavaScript objects.
#include "napi/peaks.h"

#include <string>

#include "cpu/cache.h"
#include "cpu/peaks.h"
#include "thread/fork_join.h"

namespace lowp::binding {
namespace {

Napi::Object LeastAndMedian(Napi::Env env, double least, double median) {
  Napi::Object times = Napi::Object::New(env);
  times.Set("leastUs", least);
  times.Set("medianUs", median);
  return times;
}

}  // namespace

Napi::Value MeasurePeaks(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Isa isa = ActiveIsa();
  if (info.Length() > 0 && info[0].IsString()) (void)ParseIsa(info[0].As<Napi::String>().Utf8Value().c_str(), &isa);
  Napi::Array arithmetic = Napi::Array::New(env), reading = Napi::Array::New(env);
  for (const ArithmeticPeak& peak : MeasureArithmetic(isa)) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", peak.name);
    entry.Set("type", peak.type);
    entry.Set("isa", IsaName(peak.isa));
    entry.Set("gops", peak.gops);
    arithmetic.Set(arithmetic.Length(), entry);
  }
  for (const ReadPeak& peak : MeasureReading()) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("level", peak.level);
    entry.Set("bytes", static_cast<double>(peak.bytes));
    entry.Set("gbps", peak.gbps);
    reading.Set(reading.Length(), entry);
  }
  Napi::Array fork_join = Napi::Array::New(env);
  for (const ForkJoin& measured : MeasureForkJoin(UsableCores())) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("threads", static_cast<double>(measured.threads));
    entry.Set("spinning", LeastAndMedian(env, measured.spinning_least, measured.spinning_median));
    entry.Set("parked", LeastAndMedian(env, measured.parked_least, measured.parked_median));
    fork_join.Set(fork_join.Length(), entry);
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("arithmetic", arithmetic);
  result.Set("reading", reading);
  result.Set("forkJoin", fork_join);
  return result;
}

}  // namespace lowp::binding
