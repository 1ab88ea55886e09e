/* An addon that plays a program which embeds libuv's loop in its own, as Electron's main process embeds it in Chromium's:
 *  - The loop never sleeps in its turns (UV_RUN_NOWAIT). The program sleeps, on the loop's descriptor, for as long as the
 *    loop said when its turn was over.
 *  - JavaScript also runs while the program sleeps so. That ends its sleep only if it makes the descriptor readable.
 *
 * `embed()`: from the next turn on, until the process exits. `whileAsleep(callback)`: calls back once when the program has
 * slept for a while. Electron's libuv wakes the program for some more things (a started handle, a changed descriptor) than
 * this one. */
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>

typedef void *value;
typedef void *function(void *env, void *info);
extern int napi_create_function(void *env, const char *name, size_t length, function *call, void *data, value *result);
extern int napi_set_named_property(void *env, value object, const char *name, value property);
extern int napi_get_cb_info(void *env, void *info, size_t *count, value *arguments, value *self, void **data);
extern int napi_create_reference(void *env, value of, unsigned count, void **result);
extern int napi_get_reference_value(void *env, void *reference, value *result);
extern int napi_delete_reference(void *env, void *reference);
extern int napi_open_handle_scope(void *env, void **scope);
extern int napi_close_handle_scope(void *env, void *scope);
extern int napi_make_callback(void *env, void *context, value self, value of, size_t count, value *arguments, value *result);
extern int napi_get_and_clear_last_exception(void *env, value *result);
extern int napi_fatal_exception(void *env, value exception);
extern int napi_get_uv_event_loop(void *env, void **loop);
extern size_t uv_handle_size(int type);
extern int uv_async_init(void *loop, void *async, void (*callback)(void *));
extern int uv_idle_init(void *loop, void *idle);
extern int uv_idle_start(void *idle, void (*callback)(void *));
extern void uv_close(void *handle, void (*callback)(void *));
extern int uv_run(void *loop, int mode);
extern int uv_backend_fd(void *loop);
extern int uv_backend_timeout(void *loop);

enum { UV_ASYNC = 1, UV_IDLE = 6, UV_RUN_NOWAIT = 2, WHILE = 10 /* milliseconds */ };

static void *env, *loop, *waiting;

static void call_back(void) {
  void *scope;
  value callback, result, exception;
  napi_open_handle_scope(env, &scope);
  napi_get_reference_value(env, waiting, &callback);
  napi_delete_reference(env, waiting);
  waiting = NULL;
  if (napi_make_callback(env, NULL, callback, callback, 0, NULL, &result) != 0) {
    if (napi_get_and_clear_last_exception(env, &exception) == 0) napi_fatal_exception(env, exception);
  }
  napi_close_handle_scope(env, scope);
}

/* What the loop has said about how long holds, whatever is called meanwhile. */
static void sleep_for(int milliseconds) {
  struct pollfd descriptor = {.fd = uv_backend_fd(loop), .events = POLLIN};
  do {
    int part = milliseconds < 0 || milliseconds > WHILE ? WHILE : milliseconds;
    if (poll(&descriptor, 1, part) > 0) return;
    if (milliseconds > 0) milliseconds -= part;
    if (waiting != NULL) call_back();
  } while (milliseconds != 0);
}

static void release(void *idle) { free(idle); }

/* A callback of the loop's that does not come back: outside of any call of JavaScript's, as a program would be. */
static void run(void *idle) {
  uv_close(idle, release);
  for (;;) {
    uv_run(loop, UV_RUN_NOWAIT);
    sleep_for(uv_backend_timeout(loop));
  }
}

static void *embed(void *caller, void *info) {
  void *idle = calloc(1, uv_handle_size(UV_IDLE));
  env = caller;
  napi_get_uv_event_loop(env, &loop);
  uv_idle_init(loop, idle);
  uv_idle_start(idle, run);
  /* A loop without a handle that is alive takes no turns. */
  uv_async_init(loop, calloc(1, uv_handle_size(UV_ASYNC)), NULL);
  return NULL;
}

static void *while_asleep(void *caller, void *info) {
  size_t count = 1;
  value callback;
  napi_get_cb_info(caller, info, &count, &callback, NULL, NULL);
  napi_create_reference(caller, callback, 1, &waiting);
  return NULL;
}

value napi_register_module_v1(void *caller, value exports) {
  value made;
  napi_create_function(caller, NULL, 0, embed, NULL, &made);
  napi_set_named_property(caller, exports, "embed", made);
  napi_create_function(caller, NULL, 0, while_asleep, NULL, &made);
  napi_set_named_property(caller, exports, "whileAsleep", made);
  return exports;
}
