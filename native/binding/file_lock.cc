#include "binding/file_lock.h"

#include <sys/file.h>

#include <cerrno>
#include <system_error>

namespace kvsbridge::binding {

Napi::Value TryLockFileJs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsNumber()) throw Napi::TypeError::New(env, "fd must be a number");
  const int fd = info[0].As<Napi::Number>().Int32Value();
  int result = 0;
  do {
    result = flock(fd, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return Napi::Boolean::New(env, true);
  const int error = errno;
  if (error == EWOULDBLOCK) return Napi::Boolean::New(env, false);
  throw Napi::Error::New(env, "flock failed: " + std::generic_category().message(error));
}

}  // namespace kvsbridge::binding
