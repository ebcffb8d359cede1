// What one JavaScript environment (the main thread or a worker) owns; nothing of the addon is process-wide.
#pragma once
#include <napi.h>

#include <memory>

#include "program/program.h"
#include "runtime/session.h"

namespace lowp::binding {

class SessionWrap;

// Brings ends of runs to the JavaScript thread, and knows the open sessions so that they end with the environment.
// Used on the JavaScript thread only, except Post().
class Completions {
 public:
  // Null when the environment refuses. Lives until the last session of the environment is collected.
  static std::shared_ptr<Completions> Create(Napi::Env env);
  ~Completions();

  void Add(SessionWrap* session);
  void Remove(SessionWrap* session);

  // Keeps the event loop alive while runs are going on.
  void RunStarted(Napi::Env env);
  void RunEnded(Napi::Env env);

  // From any thread: calls session->Finish() on the JavaScript thread, unless the environment ends before.
  void Post(SessionWrap* session);

 private:
  Completions() = default;
  static void Deliver(napi_env env, napi_value, void*, void* session);
  static void EnvironmentEnds(void* self);

  napi_env env_ = nullptr;
  napi_threadsafe_function function_ = nullptr;
  SessionWrap* first_ = nullptr;
  size_t running_ = 0;
  std::shared_ptr<Completions> self_;  // until the environment ends
};

struct EnvData {
  Napi::FunctionReference program_class;
  Napi::FunctionReference session_class;
  std::shared_ptr<Completions> completions;
  // Handed to the constructors of the wrapped classes, which JavaScript cannot call with success.
  std::shared_ptr<const Program> new_program;
  std::unique_ptr<Session> new_session;
};

}  // namespace lowp::binding
