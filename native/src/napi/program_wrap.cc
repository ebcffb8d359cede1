// Compiles program bytes and describes the result.
#include "napi/program_wrap.h"

#include <algorithm>

#include "napi/convert.h"
#include "napi/env_data.h"
#include "napi/errors.h"

namespace lowp::binding {
namespace {

Status ReadOptions(const Napi::Value& value, CompileOptions* options, std::string* force_row) {
  std::string isa_name;
  const Result<bool> isa = StringOption(value, "isa", &isa_name);
  if (!isa.ok()) return isa.status();
  if (isa.value()) {
    Isa wanted = Isa::kScalar;
    LOWP_REQUIRE(ParseIsa(isa_name.c_str(), &wanted),
                 "option isa is \"" + isa_name + "\", expected scalar, avx2, avxvnni, avx512, vnni, amx or native");
    options->isa = std::min(options->isa, wanted);
  }
  const Result<bool> row = StringOption(value, "forceRow", force_row);
  if (!row.ok()) return row.status();
  if (row.value()) options->force_row = force_row->c_str();
  return CountOption(value, "threads", &options->threads).status();
}

Status ReadConstants(const Napi::Value& value, std::vector<Span<const uint8_t>>* constants) {
  LOWP_REQUIRE(value.IsArray(), "constants must be an array of Uint8Array");
  const Napi::Array list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) {
    const Result<Span<const uint8_t>> bytes = Bytes(list.Get(i), "constant " + std::to_string(i));
    if (!bytes.ok()) return bytes.status();
    constants->push_back(bytes.value());
  }
  return Status();
}

Napi::Array Ports(Napi::Env env, const std::vector<Port>& ports) {
  Napi::Array result = Napi::Array::New(env, ports.size());
  for (uint32_t i = 0; i < ports.size(); i++) {
    Napi::Array shape = Napi::Array::New(env, ports[i].shape.size());
    for (uint32_t d = 0; d < ports[i].shape.size(); d++) shape.Set(d, static_cast<double>(ports[i].shape[d]));
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", ports[i].name);
    entry.Set("type", TypeName(ports[i].type));
    entry.Set("shape", shape);
    entry.Set("accumulates", ports[i].accumulates);
    result.Set(i, entry);
  }
  return result;
}

}  // namespace

Napi::Value CompileProgram(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  CompileOptions options = DefaultCompileOptions();
  std::string force_row;
  const Status read = ReadOptions(info[2], &options, &force_row);
  if (!read.ok()) return Throw(env, read);
  std::vector<Span<const uint8_t>> constants;
  const Status listed = ReadConstants(info[1], &constants);
  if (!listed.ok()) return Throw(env, listed);
  const Result<Span<const uint8_t>> bytes = Bytes(info[0], "the program");
  if (!bytes.ok()) return Throw(env, bytes.status());
  Result<std::shared_ptr<const Program>> program =
      Program::Compile(bytes.value(), {constants.data(), constants.size()}, options);
  if (!program.ok()) return Throw(env, program.status());
  EnvData* data = env.GetInstanceData<EnvData>();
  data->new_program = std::move(program.value());
  return data->program_class.New({});
}

Napi::Function ProgramWrap::DefineClass(Napi::Env env) {
  return Napi::ObjectWrap<ProgramWrap>::DefineClass(env, "NativeProgram",
                                                    {InstanceMethod<&ProgramWrap::Info>("info"),
                                                     InstanceMethod<&ProgramWrap::CreateSession>("createSession"),
                                                     InstanceMethod<&ProgramWrap::Dispose>("dispose")});
}

ProgramWrap::ProgramWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ProgramWrap>(info) {
  program_ = std::move(info.Env().GetInstanceData<EnvData>()->new_program);
  if (!program_) Throw(info.Env(), Invalid("a NativeProgram is made by compile()"));
}

Napi::Value ProgramWrap::Info(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!program_) return Throw(env, Status(Code::kClosed, "the program is disposed"));
  const std::vector<ProgramCall>& calls = program_->calls();
  Napi::Array list = Napi::Array::New(env, calls.size());
  for (uint32_t i = 0; i < calls.size(); i++) {
    Napi::Object call = Napi::Object::New(env);
    call.Set("name", calls[i].name);
    call.Set("kernel", calls[i].kernel->name);
    call.Set("row", calls[i].prepared->row);
    call.Set("operations", calls[i].prepared->operations);
    call.Set("packedBytes", static_cast<double>(calls[i].prepared->packed_bytes));
    list.Set(i, call);
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("calls", list);
  result.Set("arenaBytes", static_cast<double>(program_->arena_bytes()));
  result.Set("packedBytes", static_cast<double>(program_->packed_bytes()));
  result.Set("constantBytes", static_cast<double>(program_->constant_bytes()));
  result.Set("foundBytes", static_cast<double>(program_->found_bytes()));
  result.Set("inputs", Ports(env, program_->inputs()));
  result.Set("outputs", Ports(env, program_->outputs()));
  return result;
}

Napi::Value ProgramWrap::CreateSession(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!program_) return Throw(env, Status(Code::kClosed, "the program is disposed"));
  size_t threads = DefaultCompileOptions().threads;
  const Result<bool> read = CountOption(info[0], "threads", &threads);
  if (!read.ok()) return Throw(env, read.status());
  Result<std::unique_ptr<Session>> session = Session::Create(program_, threads);
  if (!session.ok()) return Throw(env, session.status());
  EnvData* data = env.GetInstanceData<EnvData>();
  data->new_session = std::move(session.value());
  return data->session_class.New({});
}

Napi::Value ProgramWrap::Dispose(const Napi::CallbackInfo& info) {
  program_.reset();
  return info.Env().Undefined();
}

}  // namespace lowp::binding
