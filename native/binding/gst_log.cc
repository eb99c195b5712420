#include "binding/gst_log.h"

#include "binding/errors.h"
#include "binding/options.h"
#include "media/gst_log.h"

namespace kvsbridge::binding {

void StartGstLogJs(const Napi::CallbackInfo& info) {
  Guard(info.Env(), [&] { StartGstLog(ReadString(info[0], "thresholds")); });
}

Napi::Value TakeGstLogJs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const GstLogBatch batch = TakeGstLog();
  auto lines = Napi::Array::New(env, batch.lines.size());
  std::uint32_t index = 0;
  for (const auto& line : batch.lines) {
    auto object = Napi::Object::New(env);
    object.Set("level", Napi::Number::New(env, line.level));
    object.Set("category", Napi::String::New(env, line.category));
    object.Set("object", Napi::String::New(env, line.object));
    object.Set("message", Napi::String::New(env, line.message));
    lines.Set(index++, object);
  }
  auto result = Napi::Object::New(env);
  result.Set("lines", lines);
  result.Set("dropped", Napi::Number::New(env, static_cast<double>(batch.dropped)));
  return result;
}

void StopGstLogJs(const Napi::CallbackInfo& /*info*/) { StopGstLog(); }

}  // namespace kvsbridge::binding
