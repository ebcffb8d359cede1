// One code for each lowp::Code.
#include "napi/errors.h"

namespace lowp::binding {
namespace {

const char* CodeName(Code code) {
  switch (code) {
    case Code::kInvalid: return "invalid";
    case Code::kUnsupported: return "unsupported";
    case Code::kMemory: return "memory";
    case Code::kAborted: return "aborted";
    case Code::kClosed: return "closed";
    case Code::kIndex: return "index";
    case Code::kOk:
    case Code::kInternal: break;
  }
  return "internal";
}

}  // namespace

Napi::Error MakeError(Napi::Env env, const Status& status) {
  Napi::Error error = Napi::Error::New(env, status.message());
  error.Set("code", Napi::String::New(env, CodeName(status.code())));
  return error;
}

Napi::Value Throw(Napi::Env env, const Status& status) {
  MakeError(env, status).ThrowAsJavaScriptException();
  return env.Undefined();
}

}  // namespace lowp::binding
