/* Preloaded into Node, it has the kernel fail as it fails on no demand: calls of the kinds accept and write on sockets. The
 * environment says which: FERRONET_FAILING_ACCEPT and FERRONET_FAILING_WRITE are `every N` or `first N`, then a space and the
 * numbers of the errors, which take turns. Standard input and output are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MOST_ERRORS = 32 };

struct rule {
  int is_every;
  unsigned long count;
  int errors[MOST_ERRORS];
  unsigned long error_count;
  atomic_ulong calls;
  atomic_ulong failures;
};

static struct rule accepts, writes;

static void read_rule(struct rule *rule, const char *variable) {
  const char *text = getenv(variable);
  char kind[8];
  int read = 0;
  if (text == NULL || sscanf(text, "%7s %lu%n", kind, &rule->count, &read) != 2 || rule->count == 0) return;
  rule->is_every = strcmp(kind, "every") == 0;
  char *rest = (char *)text + read;
  while (rule->error_count < MOST_ERRORS) {
    char *end;
    long error = strtol(rest, &end, 10);
    if (end == rest) break;
    rule->errors[rule->error_count++] = (int)error;
    rest = end;
  }
}

__attribute__((constructor)) static void read_rules(void) {
  read_rule(&accepts, "FERRONET_FAILING_ACCEPT");
  read_rule(&writes, "FERRONET_FAILING_WRITE");
}

static int is_socket(int fd) {
  struct stat status;
  int before = errno;
  int found = fd > STDERR_FILENO && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
  errno = before;
  return found;
}

/* Whether this call fails; errno says why. */
static int fails(struct rule *rule, int fd) {
  if (rule->error_count == 0 || !is_socket(fd)) return 0;
  unsigned long call = atomic_fetch_add(&rule->calls, 1);
  int is_due = rule->is_every ? call % rule->count == rule->count - 1 : call < rule->count;
  if (!is_due) return 0;
  errno = rule->errors[atomic_fetch_add(&rule->failures, 1) % rule->error_count];
  return 1;
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int accept(int fd, struct sockaddr *address, socklen_t *length) {
  REAL(accept);
  return fails(&accepts, fd) ? -1 : real(fd, address, length);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
  REAL(accept4);
  return fails(&accepts, fd) ? -1 : real(fd, address, length, flags);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write);
  return fails(&writes, fd) ? -1 : real(fd, bytes, length);
}

ssize_t writev(int fd, const struct iovec *chunks, int count) {
  REAL(writev);
  return fails(&writes, fd) ? -1 : real(fd, chunks, count);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  REAL(send);
  return fails(&writes, fd) ? -1 : real(fd, bytes, length, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  REAL(sendmsg);
  return fails(&writes, fd) ? -1 : real(fd, message, flags);
}
