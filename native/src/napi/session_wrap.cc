// Runs a session on its own thread and settles a promise, or runs it at once.
#include "napi/session_wrap.h"

#include "napi/convert.h"
#include "napi/errors.h"

namespace lowp::binding {
namespace {

Status Closed() { return Status(Code::kClosed, "the session is disposed"); }

int64_t ExternalBytes(Session& session) {
  const Program& program = session.executor().program();
  return static_cast<int64_t>(program.arena_bytes() + program.scratch_bytes() * session.executor().threads());
}

}  // namespace

Napi::Function SessionWrap::DefineClass(Napi::Env env) {
  return Napi::ObjectWrap<SessionWrap>::DefineClass(env, "NativeSession",
                                                    {InstanceMethod<&SessionWrap::Run>("run"),
                                                     InstanceMethod<&SessionWrap::RunSync>("runSync"),
                                                     InstanceMethod<&SessionWrap::Totals>("totals"),
                                                     InstanceMethod<&SessionWrap::Cancel>("cancel"),
                                                     InstanceMethod<&SessionWrap::Profile>("profile"),
                                                     InstanceMethod<&SessionWrap::ProfileData>("profileData"),
                                                     InstanceMethod<&SessionWrap::Dispose>("dispose")});
}

SessionWrap::SessionWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SessionWrap>(info) {
  EnvData* data = info.Env().GetInstanceData<EnvData>();
  session_ = std::move(data->new_session);
  if (!session_) {
    Throw(info.Env(), Invalid("a NativeSession is made by createSession()"));
    return;
  }
  completions_ = data->completions;
  completions_->Add(this);
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), ExternalBytes(*session_));
}

SessionWrap::~SessionWrap() { Close(Env()); }

void SessionWrap::StopThread() {
  if (session_) session_->Close();
}

void SessionWrap::Close(Napi::Env env) {
  if (!session_) return;
  session_->Close();
  completions_->Remove(this);
  Napi::MemoryManagement::AdjustExternalMemory(env, -ExternalBytes(*session_));
  session_.reset();
}

Status SessionWrap::Addresses(const Napi::CallbackInfo& info) {
  if (!session_) return Closed();
  LOWP_RETURN_IF_ERROR(PortAddresses(info[0], program().inputs(), "input", &inputs_));
  return PortAddresses(info[1], program().outputs(), "output", &outputs_);
}

Napi::Value SessionWrap::RunSync(const Napi::CallbackInfo& info) {
  Status status = Addresses(info);
  if (status.ok()) status = session_->Run(inputs_.data(), outputs_.data());
  return status.ok() ? info.Env().Undefined() : Throw(info.Env(), status);
}

Napi::Value SessionWrap::Run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto promise = std::make_unique<Napi::Promise::Deferred>(env);
  const Napi::Value result = promise->Promise();
  Status status = Addresses(info);
  if (status.ok()) status = session_->Reserve();
  const bool keeps = info[2].IsBoolean() && info[2].As<Napi::Boolean>().Value();
  if (status.ok()) status = session_->StartReserved(inputs_.data(), keeps ? outputs_.data() : nullptr, {RunEnded, this});
  if (!status.ok()) {
    promise->Reject(MakeError(env, status).Value());
    return result;
  }
  promise_ = std::move(promise);
  output_arrays_ = Napi::Reference<Napi::Value>::New(info[1], 1);
  Ref();
  completions_->RunStarted(env);
  return result;
}

void SessionWrap::RunEnded(void* self, const Status& status) {
  SessionWrap* wrap = static_cast<SessionWrap*>(self);
  wrap->status_ = status;
  wrap->completions_->Post(wrap);
}

void SessionWrap::Finish() {
  const Napi::Env env = Env();
  const Napi::HandleScope scope(env);
  const std::unique_ptr<Napi::Promise::Deferred> promise = std::move(promise_);
  Status status = session_ ? status_ : Closed();
  if (session_) {
    if (status.ok()) status = PortAddresses(output_arrays_.Value(), program().outputs(), "output", &outputs_);
    session_->TakeOutputs(status.ok() ? outputs_.data() : nullptr);
  }
  output_arrays_.Reset();
  completions_->RunEnded(env);
  Unref();
  if (status.ok()) {
    promise->Resolve(env.Undefined());
  } else {
    promise->Reject(MakeError(env, status).Value());
  }
}

Napi::Value SessionWrap::Totals(const Napi::CallbackInfo& info) {
  Status status = session_ ? Status() : Closed();
  if (status.ok()) status = PortAddresses(info[0], program().outputs(), "output", &outputs_, true);
  if (status.ok()) status = session_->CopyOutputs(outputs_.data());
  return status.ok() ? info.Env().Undefined() : Throw(info.Env(), status);
}

Napi::Value SessionWrap::Cancel(const Napi::CallbackInfo& info) {
  if (session_) session_->Cancel();
  return info.Env().Undefined();
}

Napi::Value SessionWrap::Profile(const Napi::CallbackInfo& info) {
  if (!session_) return Throw(info.Env(), Closed());
  if (!info[0].IsBoolean()) return Throw(info.Env(), Invalid("profile(on) expects true or false"));
  session_->executor().SetProfiling(info[0].As<Napi::Boolean>().Value());
  return info.Env().Undefined();
}

Napi::Value SessionWrap::ProfileData(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!session_) return Throw(env, Closed());
  const std::vector<ProgramCall>& calls = program().calls();
  Napi::Array result = Napi::Array::New(env, calls.size());
  for (uint32_t i = 0; i < calls.size(); i++) {
    const CallTime& time = session_->executor().time(i);
    const uint64_t runs = time.runs.load(std::memory_order_relaxed);
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", calls[i].name);
    entry.Set("kernel", calls[i].kernel->name);
    entry.Set("row", calls[i].prepared->row);
    entry.Set("runs", static_cast<double>(runs));
    entry.Set("totalNs", static_cast<double>(time.total_ns.load(std::memory_order_relaxed)));
    entry.Set("minNs", runs ? static_cast<double>(time.min_ns.load(std::memory_order_relaxed)) : 0.0);
    entry.Set("operations", calls[i].prepared->operations);
    entry.Set("bytes", static_cast<double>(calls[i].bytes));
    result.Set(i, entry);
  }
  return result;
}

Napi::Value SessionWrap::Dispose(const Napi::CallbackInfo& info) {
  Close(info.Env());
  return info.Env().Undefined();
}

}  // namespace lowp::binding
