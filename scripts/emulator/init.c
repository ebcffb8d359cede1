/* The first process of the emulated machine of scripts/check-emulated.sh.
 * Runs /run/program with the arguments of /run/argv and the environment of /run/env (both ended by NUL bytes), writes
 * its output to the I/O port 0xE9, which Bochs prints, then "@@exit <code>", and turns the machine off. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kTextBytes = 65536, kListItems = 256 };

static void Print(const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) outb((unsigned char)bytes[i], 0xE9);
}

/* Fills `items` with the strings of a file and a null pointer; `text` holds them. Returns 0 when they do not fit. */
static int ReadList(const char *path, char *text, char **items) {
  const int file = open(path, O_RDONLY);
  if (file < 0) return 0;
  const ssize_t size = read(file, text, kTextBytes);
  close(file);
  if (size < 0 || size == kTextBytes) return 0;
  int count = 0;
  for (ssize_t at = 0; at < size; at += (ssize_t)strlen(text + at) + 1) {
    if (count == kListItems - 1) return 0;
    items[count++] = text + at;
  }
  items[count] = NULL;
  return 1;
}

/* In the child: standard output and error go to `output`. */
static void RunProgram(int output) {
  static char argument_text[kTextBytes + 1], environment_text[kTextBytes + 1];
  static char *arguments[kListItems], *environment[kListItems];
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  iopl(0);
  if (ReadList("/run/argv", argument_text, arguments) && ReadList("/run/env", environment_text, environment))
    execve("/run/program", arguments, environment);
  dprintf(STDERR_FILENO, "init: cannot run /run/program: %s\n", strerror(errno));
  _exit(127);
}

int main(void) {
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  int ends[2] = {-1, -1};
  if (iopl(3) != 0 || pipe(ends) != 0) return 1; /* The kernel panics, and Bochs ends without "@@exit". */
  const pid_t program = fork();
  if (program == 0) {
    close(ends[0]);
    RunProgram(ends[1]);
  }
  close(ends[1]);
  Print("@@start\n", 8);
  static char output[4096];
  ssize_t size;
  while ((size = read(ends[0], output, sizeof output)) > 0) Print(output, (size_t)size);
  int status = 0;
  waitpid(program, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  Print(output, (size_t)snprintf(output, sizeof output, "\n@@exit %d\n", code));
  for (const char *word = "Shutdown"; *word; word++) outb((unsigned char)*word, 0x8900); /* Ends Bochs. */
  for (;;) pause();
}
