#include "binding/event_conversion.h"

#include <memory>
#include <utility>

#include "binding/errors.h"

namespace kvsbridge::binding {
namespace {

/// Gives the bytes to a Buffer without copying them where the runtime allows it.
Napi::Value ToBuffer(Napi::Env env, Bytes bytes) {
  auto owned = std::make_unique<Bytes>(std::move(bytes));
  Bytes* held = owned.release();
  return Napi::Buffer<std::uint8_t>::NewOrCopy(
      env, held->data(), held->size(),
      [](Napi::Env /*env*/, std::uint8_t* /*data*/, Bytes* hint) { delete hint; }, held);
}

/// Collects members; JavaScript numbers hold every count and every millisecond exactly.
class ObjectBuilder {
 public:
  explicit ObjectBuilder(Napi::Env env) : env_(env), object_(Napi::Object::New(env)) {}
  ObjectBuilder(Napi::Env env, const char* type) : ObjectBuilder(env) {
    Set("type", std::string(type));
  }

  ObjectBuilder& Set(const char* key, const std::string& value) {
    object_.Set(key, Napi::String::New(env_, value));
    return *this;
  }
  ObjectBuilder& Set(const char* key, double value) {
    object_.Set(key, Napi::Number::New(env_, value));
    return *this;
  }
  template <typename Integer>
  requires std::is_integral_v<Integer> ObjectBuilder& Set(const char* key, Integer value) {
    if constexpr (std::is_same_v<Integer, bool>) {
      object_.Set(key, Napi::Boolean::New(env_, value));
      return *this;
    } else {
      return Set(key, static_cast<double>(value));
    }
  }
  ObjectBuilder& Set(const char* key, Bytes value) {
    object_.Set(key, ToBuffer(env_, std::move(value)));
    return *this;
  }

  ObjectBuilder& Set(const char* key, const Napi::Object& value) {
    object_.Set(key, value);
    return *this;
  }

  [[nodiscard]] Napi::Object Done() const { return object_; }

 private:
  Napi::Env env_;
  Napi::Object object_;
};

struct Converter {
  Napi::Env env;

  Napi::Object operator()(const LocalDescriptionEvent& event) const {
    return ObjectBuilder(env, "localDescription")
        .Set("sdpType", event.type)
        .Set("sdp", event.sdp)
        .Done();
  }
  Napi::Object operator()(const LocalCandidateEvent& event) const {
    return ObjectBuilder(env, "localCandidate")
        .Set("sdpMLineIndex", event.sdp_m_line_index)
        .Set("candidate", event.candidate)
        .Done();
  }
  Napi::Object operator()(const ConnectionStateEvent& event) const {
    return ObjectBuilder(env, "connectionState")
        .Set("connection", event.connection)
        .Set("ice", event.ice)
        .Done();
  }
  Napi::Object operator()(const TrackEvent& event) const {
    return ObjectBuilder(env, "track")
        .Set("kind", event.kind)
        .Set("codec", event.codec)
        .Set("storedAs", event.stored_as)
        .Set("transcoded", event.transcoded)
        .Done();
  }
  Napi::Object operator()(EpochEvent event) const {
    return ObjectBuilder(env, "epoch")
        .Set("epoch", event.epoch)
        .Set("timecodeMs", event.timecode_ms)
        .Set("videoCodec", event.video_codec)
        .Set("width", event.width)
        .Set("height", event.height)
        .Set("audioCodec", event.audio_codec)
        .Set("sink", event.sink)
        .Set("header", std::move(event.header))
        .Done();
  }
  Napi::Object operator()(FragmentStartEvent event) const {
    return ObjectBuilder(env, "fragmentStart")
        .Set("epoch", event.epoch)
        .Set("timecodeMs", event.timecode_ms)
        .Done();
  }
  Napi::Object operator()(MediaDataEvent event) const {
    return ObjectBuilder(env, "mediaData").Set("data", std::move(event.data)).Done();
  }
  Napi::Object operator()(FragmentEndEvent event) const {
    return ObjectBuilder(env, "fragmentEnd")
        .Set("epoch", event.epoch)
        .Set("timecodeMs", event.timecode_ms)
        .Set("durationMs", event.duration_ms)
        .Set("videoFrames", event.video_frames)
        .Set("audioFrames", event.audio_frames)
        .Set("silentAudioFrames", event.silent_audio_frames)
        .Set("bytes", event.bytes)
        .Done();
  }
  Napi::Object operator()(EpochEndEvent event) const {
    return ObjectBuilder(env, "epochEnd")
        .Set("epoch", event.epoch)
        .Set("trailer", std::move(event.trailer))
        .Done();
  }
  Napi::Object operator()(const SinkAckEvent& event) const {
    return ObjectBuilder(env, "sinkAck")
        .Set("epoch", event.epoch)
        .Set("ack", event.type)
        .Set("timecodeMs", event.timecode_ms)
        .Set("fragmentNumber", event.fragment_number)
        .Set("errorId", event.error_id)
        .Done();
  }
  Napi::Object operator()(const SinkStateEvent& event) const {
    return ObjectBuilder(env, "sinkState")
        .Set("epoch", event.epoch)
        .Set("state", event.state)
        .Set("status", event.status)
        .Set("reason", event.reason)
        .Done();
  }
  Napi::Object operator()(const FramesDroppedEvent& event) const {
    return ObjectBuilder(env, "framesDropped")
        .Set("videoFrames", event.video_frames)
        .Set("reason", event.reason)
        .Done();
  }
  Napi::Object operator()(const GapEvent& event) const {
    return ObjectBuilder(env, "gap")
        .Set("fromMs", event.from_ms)
        .Set("toMs", event.to_ms)
        .Set("reason", event.reason)
        .Set("videoFramesDropped", event.video_frames_dropped)
        .Done();
  }
  Napi::Object operator()(KeyframeOverdueEvent event) const {
    return ObjectBuilder(env, "keyframeOverdue").Set("waitedMs", event.waited_ms).Done();
  }
  Napi::Object operator()(const StatsEvent& event) const {
    const RecorderStats& recorder = event.recorder;
    const TransportStats& transport = event.transport;
    ObjectBuilder object(env, "stats");
    object.Set("videoFramesReceived", recorder.video_frames_received)
        .Set("audioFramesReceived", recorder.audio_frames_received)
        .Set("videoBytesReceived", recorder.video_bytes_received)
        .Set("videoFramesWritten", recorder.video_frames_written)
        .Set("videoFramesDropped", recorder.video_frames_dropped)
        .Set("keyframeRequests", recorder.keyframe_requests)
        .Set("newestVideoTimecodeMs", recorder.newest_video_ms)
        .Set("newestAudioTimecodeMs", recorder.newest_audio_ms)
        .Set("video", (*this)(transport.video))
        .Set("audio", (*this)(transport.audio));
    if (!transport.pair.local.empty()) object.Set("path", (*this)(transport.pair));
    if (transport.round_trip_ms) object.Set("roundTripMs", *transport.round_trip_ms);
    return object.Done();
  }
  Napi::Object operator()(const CandidatePair& pair) const {
    return ObjectBuilder(env)
        .Set("local", pair.local)
        .Set("remote", pair.remote)
        .Set("protocol", pair.protocol)
        .Done();
  }
  Napi::Object operator()(const RtpTrackStats& stats) const {
    return ObjectBuilder(env)
        .Set("packetsReceived", stats.packets_received)
        .Set("bytesReceived", stats.bytes_received)
        .Set("packetsLost", stats.packets_lost)
        .Set("nacksSent", stats.nacks_sent)
        .Set("plisSent", stats.plis_sent)
        .Set("firsSent", stats.firs_sent)
        .Set("jitterMs", stats.jitter_ms)
        .Done();
  }
  Napi::Object operator()(SenderStatsEvent event) const {
    return ObjectBuilder(env, "senderStats")
        .Set("framesSent", event.frames_sent)
        .Set("keyframeRequests", event.keyframe_requests)
        .Done();
  }
  Napi::Object operator()(const ErrorEvent& event) const {
    return ObjectBuilder(env, "error")
        .Set("kind", std::string(KindName(event.kind)))
        .Set("fatal", event.fatal)
        .Set("message", event.message)
        .Set("element", event.element)
        .Set("debug", event.debug)
        .Done();
  }
  Napi::Object operator()(ClosedEvent /*event*/) const {
    return ObjectBuilder(env, "closed").Done();
  }
};

}  // namespace

Napi::Object ToJs(Napi::Env env, Event event) {
  return std::visit(Converter{env}, std::move(event));
}

}  // namespace kvsbridge::binding
