// NativeProgram: info(), createSession({ threads }), dispose().
#pragma once
#include <napi.h>

#include <memory>

#include "program/program.h"

namespace lowp::binding {

// (programBytes, constants, { isa, forceRow, threads }) => NativeProgram
Napi::Value CompileProgram(const Napi::CallbackInfo& info);

class ProgramWrap : public Napi::ObjectWrap<ProgramWrap> {
 public:
  static Napi::Function DefineClass(Napi::Env env);
  explicit ProgramWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value Info(const Napi::CallbackInfo& info);
  Napi::Value CreateSession(const Napi::CallbackInfo& info);
  Napi::Value Dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<const Program> program_;
};

}  // namespace lowp::binding
