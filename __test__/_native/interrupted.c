/* Preloaded into Node, it has every second call on a socket or a pipe interrupted by a signal, as far as a program can tell:
 * it fails with EINTR. A connect fails so in turn before it has begun and, as POSIX has it, after. At the end the numbers
 * of the calls go into the file that FERRONET_CALLS_LOG names. With FERRONET_COUNT_ONLY they are counted and not interrupted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int only_counts(void) {
  static int known, answer;
  if (!known) answer = getenv("FERRONET_COUNT_ONLY") != NULL, known = 1;
  return answer;
}

static int is_interrupted(int fd, atomic_uint *calls) {
  struct stat what;
  if (fstat(fd, &what) != 0 || !(S_ISSOCK(what.st_mode) || S_ISFIFO(what.st_mode))) return 0;
  if (atomic_fetch_add(calls, 1) % 2 != 0 || only_counts()) return 0;
  errno = EINTR;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* A function whose first parameter is the descriptor. */
#define INTERRUPTED(type, name, parameters, arguments) \
  static atomic_uint name##_calls;                     \
  type name parameters {                               \
    static __typeof__(&name) real;                     \
    if (real == NULL) real = REAL(name);               \
    if (is_interrupted(fd, &name##_calls)) return -1;  \
    return real arguments;                             \
  }

INTERRUPTED(ssize_t, read, (int fd, void *to, size_t room), (fd, to, room))
INTERRUPTED(ssize_t, recv, (int fd, void *to, size_t room, int flags), (fd, to, room, flags))
INTERRUPTED(ssize_t, recvmsg, (int fd, struct msghdr *to, int flags), (fd, to, flags))
INTERRUPTED(ssize_t, write, (int fd, const void *from, size_t length), (fd, from, length))
INTERRUPTED(ssize_t, writev, (int fd, const struct iovec *from, int count), (fd, from, count))
INTERRUPTED(ssize_t, send, (int fd, const void *from, size_t length, int flags), (fd, from, length, flags))
INTERRUPTED(ssize_t, sendmsg, (int fd, const struct msghdr *from, int flags), (fd, from, flags))
INTERRUPTED(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags), (fd, address, length, flags))
INTERRUPTED(ssize_t, splice, (int fd, off_t *at, int to, off_t *to_at, size_t most, unsigned flags),
            (fd, at, to, to_at, most, flags))

static atomic_uint connect_calls, poll_calls;

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  unsigned call = atomic_fetch_add(&connect_calls, 1);
  if (only_counts()) return REAL(connect)(fd, address, length);
  int answer = call % 4 == 0 ? -1 : REAL(connect)(fd, address, length);
  if (call % 4 == 1 || call % 4 == 3) return answer;
  errno = EINTR;
  return -1;
}

int poll(struct pollfd *fds, nfds_t count, int timeout) {
  if (atomic_fetch_add(&poll_calls, 1) % 2 != 0 || only_counts()) return REAL(poll)(fds, count, timeout);
  errno = EINTR;
  return -1;
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("FERRONET_CALLS_LOG");
  FILE *log = path == NULL ? NULL : fopen(path, "a");
  if (log == NULL) return;
  fprintf(log, "{\"recv\":%u,\"recvmsg\":%u,\"send\":%u,\"sendmsg\":%u,\"accept4\":%u,\"splice\":%u,\"connect\":%u}\n",
          recv_calls, recvmsg_calls, send_calls, sendmsg_calls, accept4_calls, splice_calls, connect_calls);
  fclose(log);
}
