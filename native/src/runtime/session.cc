// The session's thread starts with the first asynchronous run and sleeps between runs.
#include "runtime/session.h"

#include <new>

namespace lowp {

Result<std::unique_ptr<Session>> Session::Create(std::shared_ptr<const Program> program, size_t threads) {
  Result<std::unique_ptr<Executor>> executor = Executor::Create(std::move(program), threads);
  if (!executor.ok()) return executor.status();
  std::unique_ptr<Session> session(new (std::nothrow) Session(std::move(executor.value())));
  if (!session) return Status(Code::kMemory, "no memory for a session");
  return session;
}

Status Session::Reserve() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return Status(Code::kClosed, "the session is closed");
  if (busy_) return Invalid("a run of this session is going on; wait for it, or use another session");
  busy_ = true;
  executor_->ResetCancel();
  return Status();
}

void Session::Release() {
  const std::lock_guard<std::mutex> lock(mutex_);
  busy_ = false;
}

Status Session::Run(const void* const* inputs, void* const* outputs) {
  LOWP_RETURN_IF_ERROR(Reserve());
  executor_->TakeInputs(inputs, outputs);
  const Status status = executor_->RunCalls();
  if (status.ok()) executor_->CopyOutputs(outputs);
  Release();
  return status;
}

Status Session::StartReserved(const void* const* inputs, void* const* outputs, const Completion& completion) {
  executor_->TakeInputs(inputs, outputs);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!thread_started_) thread_started_ = thread_.Start(ThreadLoop, this);
  if (!thread_started_) {
    busy_ = false;
    return Status(Code::kMemory, "the system refused to start another thread");
  }
  completion_ = completion;
  queued_ = true;
  changed_.notify_one();
  return Status();
}

void Session::TakeOutputs(void* const* outputs) {
  if (outputs) executor_->CopyOutputs(outputs);
  Release();
}

Status Session::CopyOutputs(void* const* outputs) {
  LOWP_RETURN_IF_ERROR(Reserve());
  TakeOutputs(outputs);
  return Status();
}

void Session::Close() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    executor_->Cancel();
    changed_.notify_one();
  }
  thread_.Join();
}

void Session::ThreadLoop(void* argument) {
  Session& self = *static_cast<Session*>(argument);
  for (;;) {
    {
      std::unique_lock<std::mutex> lock(self.mutex_);
      self.changed_.wait(lock, [&] { return self.queued_ || self.closed_; });
      if (!self.queued_) return;
      self.queued_ = false;
    }
    const Status status = self.executor_->RunCalls();
    const Completion completion = self.completion_;
    completion.done(completion.context, status);
  }
}

}  // namespace lowp
