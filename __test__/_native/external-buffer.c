/* An addon that makes what Electron forbids: an ArrayBuffer over memory of its own. `module.exports` is the status that it got. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

typedef void *value;
extern int napi_create_int32(void *env, int number, value *result);

static char memory[64];

value napi_register_module_v1(void *env, value exports) {
  typedef int create(void *, void *, size_t, void *, void *, value *);
  create *external = (create *)dlsym(RTLD_DEFAULT, "napi_create_external_arraybuffer");
  value array_buffer, status;
  napi_create_int32(env, external(env, memory, sizeof memory, NULL, NULL, &array_buffer), &status);
  return status;
}
