// NativeSession: run, runSync, totals, cancel, profile, profileData, dispose.
#pragma once
#include <napi.h>

#include <memory>
#include <vector>

#include "napi/env_data.h"
#include "runtime/session.h"

namespace lowp::binding {

class SessionWrap : public Napi::ObjectWrap<SessionWrap> {
 public:
  static Napi::Function DefineClass(Napi::Env env);
  explicit SessionWrap(const Napi::CallbackInfo& info);
  ~SessionWrap() override;

  // Settles the promise of the run that is over. On the JavaScript thread.
  void Finish();

  // Ends the thread of the session without telling JavaScript.
  void StopThread();

  SessionWrap* previous = nullptr;  // the list of open sessions, kept by Completions
  SessionWrap* next = nullptr;

 private:
  Napi::Value Run(const Napi::CallbackInfo& info);
  Napi::Value RunSync(const Napi::CallbackInfo& info);
  Napi::Value Totals(const Napi::CallbackInfo& info);
  Napi::Value Cancel(const Napi::CallbackInfo& info);
  Napi::Value Profile(const Napi::CallbackInfo& info);
  Napi::Value ProfileData(const Napi::CallbackInfo& info);
  Napi::Value Dispose(const Napi::CallbackInfo& info);
  Status Addresses(const Napi::CallbackInfo& info);
  static void RunEnded(void* self, const Status& status);  // on the session's thread
  void Close(Napi::Env env);
  const Program& program() { return session_->executor().program(); }

  std::shared_ptr<Completions> completions_;
  std::unique_ptr<Session> session_;
  std::vector<void*> inputs_;
  std::vector<void*> outputs_;
  // While a run is going on:
  std::unique_ptr<Napi::Promise::Deferred> promise_;
  Napi::Reference<Napi::Value> output_arrays_;
  Status status_;
};

}  // namespace lowp::binding
