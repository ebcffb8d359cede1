/* C interface of the lowp runtime: loads a serialized program and runs it, without Node.js.
 *
 * Handles are created by lowp_*_create functions and freed by their lowp_*_destroy, which accept null. No function
 * throws, prints or ends the process. Program bytes may come from anywhere: every field of them is checked.
 */
#ifndef LOWP_LOWP_H_
#define LOWP_LOWP_H_

#include <stddef.h>
#include <stdint.h>

#if defined(LOWP_SHARED) && defined(__GNUC__)
#define LOWP_API __attribute__((visibility("default")))
#else
#define LOWP_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Grows when a function or a field is added; functions are never removed within one major version. */
#define LOWP_ABI_VERSION 1

typedef enum lowp_status {
  LOWP_OK = 0,
  LOWP_INVALID = 1,     /* an argument or the program bytes are wrong */
  LOWP_UNSUPPORTED = 2, /* a version, a kernel or a combination that this build cannot execute */
  LOWP_MEMORY = 3,      /* memory or threads are exhausted */
  LOWP_ABORTED = 4,     /* lowp_session_cancel() was called */
  LOWP_CLOSED = 5,
  LOWP_INTERNAL = 6,
  LOWP_INDEX = 7        /* a computed index lies outside of the axis that it picks from; the run has no results */
} lowp_status;

typedef enum lowp_type {
  LOWP_F32 = 0,
  LOWP_U8 = 1,
  LOWP_I8 = 2,
  LOWP_I32 = 3,
  LOWP_I64 = 4,
  LOWP_F16 = 5,
  LOWP_I16 = 6,
  LOWP_BOOLEAN = 7
} lowp_type;

typedef struct lowp_program lowp_program;
typedef struct lowp_session lowp_session;

/* Borrowed memory. */
typedef struct lowp_bytes {
  const void* data;
  size_t size;
} lowp_bytes;

/* Zero gives the defaults of the machine. */
typedef struct lowp_options {
  const char* isa;       /* upper limit: scalar, avx2, avxvnni, avx512, vnni, amx or native; null is native */
  const char* force_row; /* the kernel row of this name wherever it fits; null for none */
  size_t threads;        /* what work is split for; 0 is the number of usable cores */
} lowp_options;

/* An input or output of a program. The pointers live as long as the program. */
typedef struct lowp_port {
  const char* name;
  lowp_type type;
  const uint32_t* shape;
  size_t rank;
  size_t bytes;
} lowp_port;

LOWP_API uint32_t lowp_abi_version(void);

/* The instruction set in force: scalar, avx2, avxvnni, avx512, vnni or amx. */
LOWP_API const char* lowp_isa(void);

/* Name of a kernel of this build; null when index is not below lowp_kernel_count(). */
LOWP_API size_t lowp_kernel_count(void);
LOWP_API const char* lowp_kernel_name(size_t index);

/* Message of the last call of this thread that did not return LOWP_OK. */
LOWP_API const char* lowp_last_error(void);

/* Compiles a program. Constants are copied or packed; options may be null. */
LOWP_API lowp_status lowp_program_create(lowp_bytes program, const lowp_bytes* constants, size_t constant_count,
                                         const lowp_options* options, lowp_program** result);
LOWP_API void lowp_program_destroy(lowp_program* program);
LOWP_API size_t lowp_program_input_count(const lowp_program* program);
LOWP_API size_t lowp_program_output_count(const lowp_program* program);
LOWP_API lowp_status lowp_program_input(const lowp_program* program, size_t index, lowp_port* port);
LOWP_API lowp_status lowp_program_output(const lowp_program* program, size_t index, lowp_port* port);

/* Memory and threads to run a program; it may outlive the program. threads: 0 is the number of usable cores. */
LOWP_API lowp_status lowp_session_create(const lowp_program* program, size_t threads, lowp_session** result);
LOWP_API void lowp_session_destroy(lowp_session* session);

/* Runs on the calling thread. Pointers by port, each to as many bytes as its port has, at any alignment. Outputs may
 * overlap inputs, not each other; after an error they hold anything. */
LOWP_API lowp_status lowp_session_run(lowp_session* session, const void* const* inputs, void* const* outputs);

/* Is over with the inputs when it returns, runs on the session's thread and calls `done` there, once. Until then the
 * outputs must stay where they are; they may be written at any time. `done` must not destroy the session. `message` is
 * null when the status is LOWP_OK, and lives until `done` returns. */
typedef void (*lowp_done)(void* context, lowp_status status, const char* message);
LOWP_API lowp_status lowp_session_run_async(lowp_session* session, const void* const* inputs, void* const* outputs,
                                            lowp_done done, void* context);

/* From any thread: ends the run that is going on before its next call. */
LOWP_API void lowp_session_cancel(lowp_session* session);

#ifdef __cplusplus
}
#endif

#endif
