// One thread-safe function for each environment.
#include "napi/env_data.h"
#include "napi/session_wrap.h"

namespace lowp::binding {

std::shared_ptr<Completions> Completions::Create(Napi::Env env) {
  std::shared_ptr<Completions> completions(new Completions());
  completions->env_ = env;
  const Napi::String name = Napi::String::New(env, "lowp run");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, Deliver,
                                      &completions->function_) != napi_ok)
    return nullptr;
  napi_unref_threadsafe_function(env, completions->function_);
  // Hooks run in reverse order of registration: sessions end before the function that they call goes away.
  napi_add_env_cleanup_hook(env, EnvironmentEnds, completions.get());
  completions->self_ = completions;
  return completions;
}

Completions::~Completions() = default;

void Completions::EnvironmentEnds(void* argument) {
  const std::shared_ptr<Completions> self = std::move(static_cast<Completions*>(argument)->self_);
  for (SessionWrap* session = self->first_; session; session = session->next) session->StopThread();
  self->function_ = nullptr;
}

void Completions::Add(SessionWrap* session) {
  session->next = first_;
  if (first_) first_->previous = session;
  first_ = session;
}

void Completions::Remove(SessionWrap* session) {
  (session->previous ? session->previous->next : first_) = session->next;
  if (session->next) session->next->previous = session->previous;
  session->next = session->previous = nullptr;
}

void Completions::RunStarted(Napi::Env env) {
  if (running_++ == 0) napi_ref_threadsafe_function(env, function_);
}

void Completions::RunEnded(Napi::Env env) {
  if (--running_ == 0) napi_unref_threadsafe_function(env, function_);
}

void Completions::Post(SessionWrap* session) {
  napi_call_threadsafe_function(function_, session, napi_tsfn_nonblocking);
}

void Completions::Deliver(napi_env env, napi_value, void*, void* session) {
  if (env) static_cast<SessionWrap*>(session)->Finish();
}

}  // namespace lowp::binding
