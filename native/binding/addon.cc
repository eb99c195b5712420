// The addon's entry point. Types of everything exported here: lib/media/native.ts.
#include <napi.h>

#include <memory>

#include "binding/analyze_worker.h"
#include "binding/errors.h"
#include "binding/file_lock.h"
#include "binding/gst_log.h"
#include "binding/session_wrap.h"
#include "media/gstreamer.h"

namespace kvsbridge::binding {
namespace {

/// `initialize(makeError)`: starts GStreamer and tells how to make errors. Blocks for some 20 ms,
/// and for seconds on the first run of a machine, when GStreamer scans its plugins.
void Initialize(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) throw Napi::TypeError::New(info.Env(), "makeError must be a function");
  auto* data = info.Env().GetInstanceData<AddonData>();
  data->make_error = Napi::Persistent(info[0].As<Napi::Function>());
  Guard(info.Env(), [] { InitializeGStreamer(); });
}

/// `gstreamerVersion(): string`
Napi::Value Version(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), GStreamerVersion());
}

/// `hasElement(factory: string): boolean`
Napi::Value HasElementJs(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "factory must be a string");
  return Napi::Boolean::New(info.Env(), HasElement(info[0].As<Napi::String>().Utf8Value()));
}

/// `packageOf(factory: string): string`
Napi::Value PackageOfJs(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "factory must be a string");
  return Napi::String::New(info.Env(), PackageOf(info[0].As<Napi::String>().Utf8Value()));
}

/// `pluginOf(factory: string): { file, version } | undefined`
Napi::Value PluginOfJs(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "factory must be a string");
  const auto plugin = PluginOf(info[0].As<Napi::String>().Utf8Value());
  if (!plugin) return info.Env().Undefined();
  auto result = Napi::Object::New(info.Env());
  result.Set("file", plugin->file);
  result.Set("version", plugin->version);
  return result;
}

Napi::Object InitAddon(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(std::make_unique<AddonData>().release());
  exports.Set("initialize", Napi::Function::New(env, Initialize, "initialize"));
  exports.Set("gstreamerVersion", Napi::Function::New(env, Version, "gstreamerVersion"));
  exports.Set("hasElement", Napi::Function::New(env, HasElementJs, "hasElement"));
  exports.Set("packageOf", Napi::Function::New(env, PackageOfJs, "packageOf"));
  exports.Set("pluginOf", Napi::Function::New(env, PluginOfJs, "pluginOf"));
  exports.Set("analyzeRecording", Napi::Function::New(env, AnalyzeRecordingJs, "analyzeRecording"));
  exports.Set("tryLockFile", Napi::Function::New(env, TryLockFileJs, "tryLockFile"));
  exports.Set("startGstLog", Napi::Function::New(env, StartGstLogJs, "startGstLog"));
  exports.Set("takeGstLog", Napi::Function::New(env, TakeGstLogJs, "takeGstLog"));
  exports.Set("stopGstLog", Napi::Function::New(env, StopGstLogJs, "stopGstLog"));
  exports.Set("Receiver", ReceiverWrap::Define(env));
  exports.Set("Publisher", PublisherWrap::Define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(kvs_bridge, InitAddon)

}  // namespace kvsbridge::binding
