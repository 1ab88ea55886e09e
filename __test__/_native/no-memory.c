/* Preloaded into Node, it plays an engine that has no memory left for Buffers and ArrayBuffers, for as long as there is a file
 * that FERRONET_NO_MEMORY names: the calls fail, as they do when the allocator does, with an exception left behind. An addon
 * asks the running program for its Node-API functions by name, so the asking is where it steps in. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* napi_pending_exception */
enum { FAILED = 10 };

typedef void *lookup(void *, const char *);
static lookup *real;

static int is_exhausted(void *env) {
  typedef int throw_error(void *, const char *, const char *);
  const char *path = getenv("FERRONET_NO_MEMORY");
  if (path == NULL || access(path, F_OK) != 0) return 0;
  ((throw_error *)real(RTLD_DEFAULT, "napi_throw_error"))(env, NULL, "Array buffer allocation failed");
  return 1;
}

static int create_buffer(void *env, size_t length, void **data, void **result) {
  typedef int call(void *, size_t, void **, void **);
  if (is_exhausted(env)) return FAILED;
  return ((call *)real(RTLD_DEFAULT, "napi_create_buffer"))(env, length, data, result);
}

static int create_buffer_copy(void *env, size_t length, const void *from, void **data, void **result) {
  typedef int call(void *, size_t, const void *, void **, void **);
  if (is_exhausted(env)) return FAILED;
  return ((call *)real(RTLD_DEFAULT, "napi_create_buffer_copy"))(env, length, from, data, result);
}

static int create_array_buffer(void *env, size_t length, void **data, void **result) {
  typedef int call(void *, size_t, void **, void **);
  if (is_exhausted(env)) return FAILED;
  return ((call *)real(RTLD_DEFAULT, "napi_create_arraybuffer"))(env, length, data, result);
}

void *dlsym(void *handle, const char *name) {
  if (real == NULL) {
    /* The C library's own, which has been in libc itself since 2.34. */
    real = (lookup *)dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    if (real == NULL) real = (lookup *)dlvsym(RTLD_NEXT, "dlsym", sizeof(void *) == 8 ? "GLIBC_2.2.5" : "GLIBC_2.0");
    if (real == NULL) real = (lookup *)dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.17");
  }
  if (strcmp(name, "napi_create_buffer") == 0) return (void *)create_buffer;
  if (strcmp(name, "napi_create_buffer_copy") == 0) return (void *)create_buffer_copy;
  if (strcmp(name, "napi_create_arraybuffer") == 0) return (void *)create_array_buffer;
  return real(handle, name);
}
