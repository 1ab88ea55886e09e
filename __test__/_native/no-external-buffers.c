/* Preloaded into Node, it plays the memory cage of Electron: a call for a Buffer or an ArrayBuffer over the caller's own memory is
 * refused. An addon asks the running program for its Node-API functions by name, so the asking is where it steps in. Each time
 * it does, and each refusal, is a line in the file that FERRONET_CAGE_LOG names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* napi_no_external_buffers_allowed */
enum { REFUSED = 22 };

static void note(const char *line) {
  const char *path = getenv("FERRONET_CAGE_LOG");
  if (path == NULL) return;
  /* One write of a few bytes to the end: whole lines, whichever process writes as well. */
  int log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (log < 0) return;
  ssize_t written = write(log, line, strlen(line));
  (void)written;
  close(log);
}

static int refuse_buffer(void *env, size_t length, void *bytes, void *finalize, void *hint, void **result) {
  note("refused a Buffer\n");
  return REFUSED;
}

static int refuse_array_buffer(void *env, void *bytes, size_t length, void *finalize, void *hint, void **result) {
  note("refused an ArrayBuffer\n");
  return REFUSED;
}

void *dlsym(void *handle, const char *name) {
  typedef void *lookup(void *, const char *);
  static lookup *real;
  if (real == NULL) {
    /* The C library's own, which has been in libc itself since 2.34. */
    real = (lookup *)dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    const char *first = sizeof(void *) == 8 ? "GLIBC_2.2.5" : "GLIBC_2.0";
    if (real == NULL) real = (lookup *)dlvsym(RTLD_NEXT, "dlsym", first);
    if (real == NULL) real = (lookup *)dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.17");
  }
  if (strcmp(name, "napi_create_external_buffer") == 0) return note("asked\n"), (void *)refuse_buffer;
  if (strcmp(name, "napi_create_external_arraybuffer") == 0) return note("asked\n"), (void *)refuse_array_buffer;
  return real(handle, name);
}
