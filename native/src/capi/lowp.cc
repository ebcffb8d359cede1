// The C interface over Program and Session; statuses become codes, messages are kept per thread.
#include "lowp/lowp.h"

#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "program/program.h"
#include "runtime/session.h"

struct lowp_program {
  std::shared_ptr<const lowp::Program> program;
};

struct lowp_session {
  std::unique_ptr<lowp::Session> session;
  std::vector<void*> outputs;  // of the asynchronous run that is going on
  lowp_done done = nullptr;
  void* context = nullptr;
};

namespace {

thread_local std::string last_error;

lowp_status CodeOf(lowp::Code code) {
  switch (code) {
    case lowp::Code::kOk: return LOWP_OK;
    case lowp::Code::kInvalid: return LOWP_INVALID;
    case lowp::Code::kUnsupported: return LOWP_UNSUPPORTED;
    case lowp::Code::kMemory: return LOWP_MEMORY;
    case lowp::Code::kAborted: return LOWP_ABORTED;
    case lowp::Code::kClosed: return LOWP_CLOSED;
    case lowp::Code::kIndex: return LOWP_INDEX;
    case lowp::Code::kInternal: break;
  }
  return LOWP_INTERNAL;
}

lowp_status Report(const lowp::Status& status) {
  if (!status.ok()) last_error = status.message();
  return CodeOf(status.code());
}

lowp_status GetPort(const std::vector<lowp::Port>& ports, size_t index, lowp_port* result) {
  if (!result || index >= ports.size())
    return Report(lowp::Invalid("there is no port " + std::to_string(index) + ", the program has " +
                                std::to_string(ports.size())));
  const lowp::Port& port = ports[index];
  *result = {port.name.c_str(), static_cast<lowp_type>(port.type), port.shape.data(), port.shape.size(),
             static_cast<size_t>(port.bytes)};
  return LOWP_OK;
}

lowp::Status ReadOptions(const lowp_options* given, lowp::CompileOptions* options) {
  if (!given) return lowp::Status();
  lowp::Isa isa = options->isa;
  LOWP_REQUIRE(!given->isa || lowp::ParseIsa(given->isa, &isa),
               std::string("unknown instruction set ") + given->isa + ", expected scalar, avx2, avxvnni, avx512, vnni, amx or native");
  options->isa = std::min(options->isa, isa);
  if (given->force_row) options->force_row = given->force_row;
  if (given->threads > 0) options->threads = given->threads;
  return lowp::Status();
}

void AsyncDone(void* argument, const lowp::Status& status) {
  lowp_session* session = static_cast<lowp_session*>(argument);
  const lowp_done done = session->done;
  void* const context = session->context;
  session->session->TakeOutputs(status.ok() ? session->outputs.data() : nullptr);
  done(context, CodeOf(status.code()), status.ok() ? nullptr : status.message().c_str());
}

}  // namespace

uint32_t lowp_abi_version(void) { return LOWP_ABI_VERSION; }

const char* lowp_isa(void) { return lowp::IsaName(lowp::ActiveIsa()); }

size_t lowp_kernel_count(void) { return lowp::AllKernels().size(); }

const char* lowp_kernel_name(size_t index) {
  return index < lowp_kernel_count() ? lowp::AllKernels()[index]->name : nullptr;
}

const char* lowp_last_error(void) { return last_error.c_str(); }

lowp_status lowp_program_create(lowp_bytes program, const lowp_bytes* constants, size_t constant_count,
                                const lowp_options* options, lowp_program** result) {
  if (!result || !program.data || (constant_count > 0 && !constants))
    return Report(lowp::Invalid("program, constants and result must not be null"));
  *result = nullptr;
  lowp::CompileOptions compile_options = lowp::DefaultCompileOptions();
  const lowp::Status read = ReadOptions(options, &compile_options);
  if (!read.ok()) return Report(read);
  std::vector<lowp::Span<const uint8_t>> spans;
  for (size_t i = 0; i < constant_count; i++)
    spans.push_back({static_cast<const uint8_t*>(constants[i].data), constants[i].size});
  lowp::Result<std::shared_ptr<const lowp::Program>> compiled = lowp::Program::Compile(
      {static_cast<const uint8_t*>(program.data), program.size}, {spans.data(), spans.size()}, compile_options);
  if (!compiled.ok()) return Report(compiled.status());
  *result = new (std::nothrow) lowp_program{std::move(compiled.value())};
  return *result ? LOWP_OK : Report(lowp::Status(lowp::Code::kMemory, "no memory for a program"));
}

void lowp_program_destroy(lowp_program* program) { delete program; }

size_t lowp_program_input_count(const lowp_program* program) { return program ? program->program->inputs().size() : 0; }

size_t lowp_program_output_count(const lowp_program* program) {
  return program ? program->program->outputs().size() : 0;
}

lowp_status lowp_program_input(const lowp_program* program, size_t index, lowp_port* port) {
  if (!program) return Report(lowp::Invalid("program must not be null"));
  return GetPort(program->program->inputs(), index, port);
}

lowp_status lowp_program_output(const lowp_program* program, size_t index, lowp_port* port) {
  if (!program) return Report(lowp::Invalid("program must not be null"));
  return GetPort(program->program->outputs(), index, port);
}

lowp_status lowp_session_create(const lowp_program* program, size_t threads, lowp_session** result) {
  if (!program || !result) return Report(lowp::Invalid("program and result must not be null"));
  *result = nullptr;
  if (threads == 0) threads = lowp::DefaultCompileOptions().threads;
  lowp::Result<std::unique_ptr<lowp::Session>> created = lowp::Session::Create(program->program, threads);
  if (!created.ok()) return Report(created.status());
  *result = new (std::nothrow) lowp_session();
  if (!*result) return Report(lowp::Status(lowp::Code::kMemory, "no memory for a session"));
  (*result)->outputs.resize(program->program->outputs().size());
  (*result)->session = std::move(created.value());
  return LOWP_OK;
}

void lowp_session_destroy(lowp_session* session) {
  if (session) session->session->Close();
  delete session;
}

lowp_status lowp_session_run(lowp_session* session, const void* const* inputs, void* const* outputs) {
  if (!session) return Report(lowp::Invalid("session must not be null"));
  return Report(session->session->Run(inputs, outputs));
}

lowp_status lowp_session_run_async(lowp_session* session, const void* const* inputs, void* const* outputs,
                                   lowp_done done, void* context) {
  if (!session || !done) return Report(lowp::Invalid("session and done must not be null"));
  const lowp::Status occupied = session->session->Reserve();
  if (!occupied.ok()) return Report(occupied);
  std::copy_n(outputs, session->outputs.size(), session->outputs.begin());
  session->done = done;
  session->context = context;
  return Report(session->session->StartReserved(inputs, session->outputs.data(), {AsyncDone, session}));
}

void lowp_session_cancel(lowp_session* session) {
  if (session) session->session->Cancel();
}
