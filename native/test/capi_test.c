/* The C interface from plain C: catalog, a program that fills its output, synchronous and asynchronous runs, errors.
 * Prints the first difference and returns 1 when something is wrong. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lowp/lowp.h"

#define EXPECT(condition)                                              \
  do {                                                                 \
    if (!(condition)) {                                                \
      fprintf(stderr, "line %d: expected %s\n", __LINE__, #condition); \
      fprintf(stderr, "last error: %s\n", lowp_last_error());          \
      return 1;                                                        \
    }                                                                  \
  } while (0)

enum { kElements = 1000 };

/* Buffer 0 is the output "y" of shape [1000]; call 0 is fill(elements 1000, value 1.5) named "y" too. */
static const uint32_t kProgram[] = {
    0x50574f4c, 1, 2, 1, 1,                          /* header */
    1, 'y', 4, 0x6c6c6966,                           /* strings: "y", "fill" */
    1, 0, kElements, 0, 0, 0xffffffff, 1, kElements, /* buffer */
    1, 0, 0, 1, 0, 8, kElements, 0x3fc00000,         /* call */
};

struct Waiter {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int called;
  lowp_status status;
};

static void Done(void* context, lowp_status status, const char* message) {
  struct Waiter* waiter = context;
  (void)message;
  pthread_mutex_lock(&waiter->mutex);
  waiter->called++;
  waiter->status = status;
  pthread_cond_signal(&waiter->changed);
  pthread_mutex_unlock(&waiter->mutex);
}

static int TestCatalog(void) {
  size_t i, found = 0;
  EXPECT(lowp_abi_version() == LOWP_ABI_VERSION);
  EXPECT(strlen(lowp_isa()) > 0);
  for (i = 0; i < lowp_kernel_count(); i++) found += strcmp(lowp_kernel_name(i), "fill") == 0;
  EXPECT(found == 1);
  EXPECT(lowp_kernel_name(lowp_kernel_count()) == NULL);
  return 0;
}

static int TestErrors(void) {
  lowp_program* program = NULL;
  lowp_bytes bytes = {kProgram, sizeof kProgram - 4};
  lowp_options options = {"sse9", NULL, 0};
  EXPECT(lowp_program_create(bytes, NULL, 0, NULL, &program) == LOWP_INVALID);
  EXPECT(program == NULL && strlen(lowp_last_error()) > 0);
  bytes.size = sizeof kProgram;
  EXPECT(lowp_program_create(bytes, NULL, 0, &options, &program) == LOWP_INVALID);
  EXPECT(lowp_program_create(bytes, NULL, 0, NULL, NULL) == LOWP_INVALID);
  EXPECT(lowp_session_run(NULL, NULL, NULL) == LOWP_INVALID);
  lowp_program_destroy(NULL);
  lowp_session_destroy(NULL);
  return 0;
}

static int TestRuns(lowp_session* session) {
  static float output[kElements];
  void* outputs[1] = {output};
  struct Waiter waiter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, LOWP_INTERNAL};
  EXPECT(lowp_session_run(session, NULL, outputs) == LOWP_OK);
  EXPECT(output[0] == 1.5f && output[kElements - 1] == 1.5f);
  memset(output, 0, sizeof output);
  EXPECT(lowp_session_run_async(session, NULL, outputs, Done, &waiter) == LOWP_OK);
  pthread_mutex_lock(&waiter.mutex);
  while (!waiter.called) pthread_cond_wait(&waiter.changed, &waiter.mutex);
  pthread_mutex_unlock(&waiter.mutex);
  EXPECT(waiter.called == 1 && waiter.status == LOWP_OK);
  EXPECT(output[0] == 1.5f && output[kElements - 1] == 1.5f);
  lowp_session_cancel(session);
  EXPECT(lowp_session_run(session, NULL, outputs) == LOWP_OK);
  return 0;
}

int main(void) {
  const lowp_bytes bytes = {kProgram, sizeof kProgram};
  const lowp_options options = {"scalar", NULL, 1};
  lowp_program* program = NULL;
  lowp_session* session = NULL;
  lowp_port port;
  if (TestCatalog() || TestErrors()) return 1;
  EXPECT(lowp_program_create(bytes, NULL, 0, &options, &program) == LOWP_OK);
  EXPECT(lowp_program_input_count(program) == 0 && lowp_program_output_count(program) == 1);
  EXPECT(lowp_program_output(program, 0, &port) == LOWP_OK);
  EXPECT(strcmp(port.name, "y") == 0 && port.type == LOWP_F32 && port.rank == 1 && port.shape[0] == kElements);
  EXPECT(port.bytes == kElements * sizeof(float));
  EXPECT(lowp_program_output(program, 1, &port) == LOWP_INVALID);
  EXPECT(lowp_session_create(program, 2, &session) == LOWP_OK);
  lowp_program_destroy(program);
  if (TestRuns(session)) return 1;
  lowp_session_destroy(session);
  return 0;
}
