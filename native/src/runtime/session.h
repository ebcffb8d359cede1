// A program with its own memory and threads. One run at a time: now on the calling thread, or on the session's own.
#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "runtime/executor.h"
#include "thread/native_thread.h"

namespace lowp {

// What an asynchronous run does when it is over.
struct Completion {
  // Called once on the session's thread; must not close the session.
  void (*done)(void* context, const Status& status) = nullptr;
  void* context = nullptr;
};

class Session {
 public:
  static Result<std::unique_ptr<Session>> Create(std::shared_ptr<const Program> program, size_t threads);
  ~Session() { Close(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs on the calling thread. `inputs` and `outputs` follow the program's ports and have their sizes, at any
  // alignment. Outputs may overlap inputs, not each other; after an error they hold anything. kInvalid when a run is
  // going on, kClosed, or kAborted after Cancel().
  Status Run(const void* const* inputs, void* const* outputs);

  // Makes the caller the owner of the next run, which must begin with StartReserved(). Fails as Run() does.
  Status Reserve();

  // Is over with the inputs when it returns; the calls run on the session's thread, which then calls `completion`. They
  // write to `outputs` unless that is null; it must be what TakeOutputs() is given then, until which the session stays
  // busy. When no thread can be started it is free again and `completion` is not called.
  Status StartReserved(const void* const* inputs, void* const* outputs, const Completion& completion);

  // After `completion`: copies the outputs (not those that are null; null copies none) and lets the next run begin.
  void TakeOutputs(void* const* outputs);

  // Copies outputs (not those that are null) as the last run left them. Fails as Run() does.
  Status CopyOutputs(void* const* outputs);

  // Stops the run that is going on between two calls.
  void Cancel() { executor_->Cancel(); }

  // Cancels, waits until the session's thread has ended; later runs fail with kClosed. Not while Run() is going on in
  // another thread.
  void Close();

  Executor& executor() { return *executor_; }

 private:
  explicit Session(std::unique_ptr<Executor> executor) : executor_(std::move(executor)) {}
  void Release();
  static void ThreadLoop(void* session);

  std::unique_ptr<Executor> executor_;
  std::mutex mutex_;  // guards what follows; never held during a run
  std::condition_variable changed_;
  bool busy_ = false;
  bool queued_ = false;
  bool closed_ = false;
  bool thread_started_ = false;
  Completion completion_;
  NativeThread thread_;
};

}  // namespace lowp
