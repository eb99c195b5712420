#include "binding/options.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "binding/publisher_options.h"
#include "glib/ptr.h"
#include "media/media_error.h"

namespace kvsbridge::binding {
namespace {

constexpr std::size_t kMaxTextBytes = 1024UL * 1024;
constexpr unsigned kMaxIceServers = 64;
constexpr unsigned kMaxVideoCodecs = 5;

[[noreturn]] void Reject(const std::string& name, const std::string& expected) {
  throw MediaError(ErrorKind::kOptions, name + " must be " + expected);
}

Napi::Object ReadObject(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) Reject(name, "an object");
  return value.As<Napi::Object>();
}

PeerOptions ReadPeerOptions(const Napi::Object& object) {
  PeerOptions options;
  options.jitter_buffer_ms =
      ReadUnsigned(object.Get("jitterBufferMs"), "jitterBufferMs", 0, 10'000);
  options.relay_only = ReadBool(object.Get("relayOnly"), "relayOnly");
  const Napi::Value identity = object.Get("dtlsIdentity");
  if (!identity.IsUndefined()) {
    options.dtls_identity = DtlsIdentity(ReadString(identity, "dtlsIdentity"));
  }
  const Napi::Value servers = object.Get("iceServers");
  if (!servers.IsArray()) Reject("iceServers", "an array");
  const auto array = servers.As<Napi::Array>();
  if (array.Length() > kMaxIceServers) Reject("iceServers", "at most 64 entries long");
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Object server = ReadObject(array.Get(i), "iceServers[]");
    options.ice_servers.push_back({ReadString(server.Get("uri"), "iceServers[].uri"),
                                   ReadString(server.Get("username"), "iceServers[].username"),
                                   ReadString(server.Get("password"), "iceServers[].password")});
  }
  return options;
}

std::vector<SourceCodec> ReadVideoCodecs(const Napi::Value& value) {
  const char* expected = "a list of video codecs: h264, h265, vp8, vp9, av1, each once";
  if (!value.IsArray()) Reject("videoCodecs", expected);
  const auto array = value.As<Napi::Array>();
  std::vector<SourceCodec> codecs;
  for (std::uint32_t i = 0; i < array.Length() && i < kMaxVideoCodecs; ++i) {
    const std::string name = ReadString(array.Get(i), "videoCodecs[]");
    const GCharPtr upper(g_ascii_strup(name.c_str(), -1));
    const auto codec = SourceCodecNamed(upper.get());
    if (!codec || std::count(codecs.begin(), codecs.end(), *codec) != 0) {
      Reject("videoCodecs", expected);
    }
    codecs.push_back(*codec);
  }
  if (codecs.empty() || array.Length() > kMaxVideoCodecs) Reject("videoCodecs", expected);
  return codecs;
}

AudioMode ReadAudioMode(const Napi::Value& value) {
  const std::string name = ReadString(value, "audio");
  if (name == "aac") return AudioMode::kAac;
  if (name == "source") return AudioMode::kSource;
  if (name == "none") return AudioMode::kNone;
  Reject("audio", "aac, source or none");
}

KvsSinkOptions ReadKvsSinkOptions(const Napi::Value& value) {
  const Napi::Object object = ReadObject(value, "kvssink");
  KvsSinkOptions options;
  options.stream_name = ReadString(object.Get("streamName"), "kvssink.streamName");
  options.region = ReadString(object.Get("region"), "kvssink.region");
  options.credential_file = ReadString(object.Get("credentialFile"), "kvssink.credentialFile");
  options.log_config_file = ReadString(object.Get("logConfigFile"), "kvssink.logConfigFile");
  options.retention_hours =
      ReadUnsigned(object.Get("retentionHours"), "kvssink.retentionHours", 0, 87'600);
  options.storage_mib = ReadUnsigned(object.Get("storageMib"), "kvssink.storageMib", 10, 4'096);
  options.queue_bytes =
      ReadUnsigned(object.Get("queueBytes"), "kvssink.queueBytes", 1, 4'000'000'000);
  options.stop_timeout_s =
      ReadUnsigned(object.Get("stopTimeoutSeconds"), "kvssink.stopTimeoutSeconds", 1, 600);
  return options;
}

}  // namespace

std::string ReadString(const Napi::Value& value, const char* name) {
  if (!value.IsString()) Reject(name, "a string");
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.size() > kMaxTextBytes) Reject(name, "at most 1 MiB long");
  // C strings end at NUL: what lies behind it would silently be lost.
  if (text.find('\0') != std::string::npos) Reject(name, "free of NUL characters");
  return text;
}

bool ReadBool(const Napi::Value& value, const char* name) {
  if (!value.IsBoolean()) Reject(name, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

unsigned ReadUnsigned(const Napi::Value& value, const char* name, unsigned min, unsigned max) {
  const std::string expected =
      "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  if (!value.IsNumber()) Reject(name, expected);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (std::floor(number) != number || number < min || number > max) Reject(name, expected);
  return static_cast<unsigned>(number);
}

std::int64_t ReadTimeMs(const Napi::Value& value, const char* name) {
  constexpr double kNewestMs = 8.64e15;  // ECMAScript's last moment
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (std::floor(number) != number || number < 0 || number > kNewestMs) {
    Reject(name, "Unix epoch milliseconds");
  }
  return static_cast<std::int64_t>(number);
}

ReceiverOptions ReadReceiverOptions(const Napi::Value& value) {
  const Napi::Object object = ReadObject(value, "options");
  ReceiverOptions options;
  options.peer = ReadPeerOptions(object);
  options.video_codecs = ReadVideoCodecs(object.Get("videoCodecs"));
  options.audio = ReadAudioMode(object.Get("audio"));
  const auto read_patience = [&object](const char* name, std::int64_t& patience_ms) {
    const Napi::Value number = object.Get(name);
    if (!number.IsUndefined()) patience_ms = ReadUnsigned(number, name, 0, 86'400'000);
  };
  read_patience("connectMs", options.patience.connect_ms);
  read_patience("firstMediaMs", options.patience.first_media_ms);
  read_patience("silentVideoMs", options.patience.silent_video_ms);
  options.recorder.target_fragment_ms =
      ReadUnsigned(object.Get("targetFragmentMs"), "targetFragmentMs", 1'000, 18'000);
  const Napi::Value resumes_after = object.Get("resumesAfterMs");
  if (!resumes_after.IsUndefined()) {
    options.recorder.resumes_after_ms = ReadTimeMs(resumes_after, "resumesAfterMs");
  }
  const Napi::Value kvs_sink = object.Get("kvssink");
  if (!kvs_sink.IsUndefined()) options.kvs_sink = ReadKvsSinkOptions(kvs_sink);
  return options;
}

PublisherOptions ReadPublisherOptions(const Napi::Value& value) {
  const Napi::Object object = ReadObject(value, "options");
  PublisherOptions options;
  options.peer = ReadPeerOptions(object);
  options.offer = ReadString(object.Get("offer"), "offer");
  options.source = ReadTestSourceOptions(object);
  return options;
}

}  // namespace kvsbridge::binding
