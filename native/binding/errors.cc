#include "binding/errors.h"

namespace kvsbridge::binding {

const char* KindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kMissingPlugin:
      return "missingPlugin";
    case ErrorKind::kBadPeerInput:
      return "badPeerInput";
    case ErrorKind::kNoKeyframe:
      return "noKeyframe";
    case ErrorKind::kPeerLost:
      return "peerLost";
    case ErrorKind::kNoMedia:
      return "noMedia";
    case ErrorKind::kOptions:
      return "options";
    case ErrorKind::kMedia:
      break;
  }
  return "media";
}

void ThrowJs(Napi::Env env, const MediaError& error) {
  const auto* data = env.GetInstanceData<AddonData>();
  if (data == nullptr || data->make_error.IsEmpty()) throw Napi::Error::New(env, error.what());
  const Napi::Value made = data->make_error.Call(
      {Napi::String::New(env, KindName(error.kind())), Napi::String::New(env, error.what()),
       Napi::String::New(env, error.element()), Napi::String::New(env, error.debug())});
  throw Napi::Error(env, made);
}

}  // namespace kvsbridge::binding
