// A joined thread whose start can fail without an exception.
#pragma once
#include <pthread.h>
#include <signal.h>

namespace lowp {

class NativeThread {
 public:
  using Body = void (*)(void* argument);

  NativeThread() = default;
  ~NativeThread() { Join(); }
  NativeThread(const NativeThread&) = delete;
  NativeThread& operator=(const NativeThread&) = delete;

  // False when the system refuses. Signals are left to the other threads of the process. `this` must not move.
  bool Start(Body body, void* argument) {
    body_ = body;
    argument_ = argument;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started_ = pthread_create(&thread_, nullptr, Enter, this) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started_;
  }

  void Join() {
    if (started_) pthread_join(thread_, nullptr);
    started_ = false;
  }

 private:
  static void* Enter(void* self) {
    auto* thread = static_cast<NativeThread*>(self);
    thread->body_(thread->argument_);
    return nullptr;
  }

  pthread_t thread_{};
  Body body_ = nullptr;
  void* argument_ = nullptr;
  bool started_ = false;
};

}  // namespace lowp
