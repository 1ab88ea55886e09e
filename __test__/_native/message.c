/* An addon that sends what JavaScript cannot: `send(fd, text, urgent, descriptor)`. `urgent`: the last byte is urgent data
 * (MSG_OOB). `descriptor`: if it is not negative, it goes along (SCM_RIGHTS). Answers how many bytes were sent, or -1. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

typedef void *value;
typedef value function(void *env, void *info);
extern int napi_create_function(void *env, const char *name, size_t length, function *call, void *data, value *result);
extern int napi_get_cb_info(void *env, void *info, size_t *count, value *arguments, value *self, void **data);
extern int napi_get_value_int32(void *env, value from, int *result);
extern int napi_get_value_bool(void *env, value from, bool *result);
extern int napi_get_value_string_utf8(void *env, value from, char *text, size_t room, size_t *length);
extern int napi_create_int32(void *env, int number, value *result);

static value send_message(void *env, void *info) {
  size_t count = 4, length = 0;
  value arguments[4], answer;
  int fd = -1, descriptor = -1;
  bool urgent = false;
  char text[256];
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_int32(env, arguments[0], &fd);
  napi_get_value_string_utf8(env, arguments[1], text, sizeof text, &length);
  napi_get_value_bool(env, arguments[2], &urgent);
  napi_get_value_int32(env, arguments[3], &descriptor);

  struct iovec part = {.iov_base = text, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  union {
    struct cmsghdr aligned;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  if (descriptor >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  }
  napi_create_int32(env, (int)sendmsg(fd, &message, urgent ? MSG_OOB : 0), &answer);
  return answer;
}

value napi_register_module_v1(void *env, value exports) {
  value send;
  napi_create_function(env, "send", 4, send_message, NULL, &send);
  return send;
}
