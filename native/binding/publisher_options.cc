#include "binding/publisher_options.h"

#include <cmath>
#include <initializer_list>
#include <string>
#include <utility>

#include "binding/options.h"
#include "media/media_error.h"
#include "media/publisher/test_picture.h"

namespace kvsbridge::binding {
namespace {

constexpr double kMaxSkewPpm = 200'000;
constexpr double kMaxStepMs = 86'400'000;

template <typename T>
T ReadOneOf(const Napi::Value& value, const char* name,
            std::initializer_list<std::pair<const char*, T>> choices) {
  const std::string text = ReadString(value, name);
  std::string expected;
  for (const auto& [choice, meaning] : choices) {
    if (text == choice) return meaning;
    expected += (expected.empty() ? "" : ", ") + std::string(choice);
  }
  throw MediaError(ErrorKind::kOptions, std::string(name) + " must be one of " + expected);
}

/// A number in [-limit, limit]; 0 when absent.
double ReadOffset(const Napi::Value& value, const char* name, double limit) {
  if (value.IsUndefined()) return 0;
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  if (!(std::fabs(number) <= limit)) {
    throw MediaError(ErrorKind::kOptions, std::string(name) + " must be a number within " +
                                              std::to_string(static_cast<int>(limit)) + " of 0");
  }
  return number;
}

bool ReadFlag(const Napi::Value& value, const char* name) {
  return !value.IsUndefined() && ReadBool(value, name);
}

ClockFault ReadClockFault(const Napi::Object& shape) {
  ClockFault fault;
  fault.rtp_skew_ppm = ReadOffset(shape.Get("rtpSkewPpm"), "shape.rtpSkewPpm", kMaxSkewPpm);
  fault.ntp_skew_ppm = ReadOffset(shape.Get("ntpSkewPpm"), "shape.ntpSkewPpm", kMaxSkewPpm);
  fault.rtp_step_ms =
      static_cast<int>(ReadOffset(shape.Get("rtpStepMs"), "shape.rtpStepMs", kMaxStepMs));
  fault.ntp_step_ms =
      static_cast<int>(ReadOffset(shape.Get("ntpStepMs"), "shape.ntpStepMs", kMaxStepMs));
  const Napi::Value after = shape.Get("stepAfterMs");
  if (!after.IsUndefined()) {
    fault.step_after_ms = ReadUnsigned(after, "shape.stepAfterMs", 0, 86'400'000);
  }
  return fault;
}

SenderShape ReadShape(const Napi::Value& value) {
  SenderShape shape;
  if (value.IsUndefined()) return shape;
  if (!value.IsObject()) throw MediaError(ErrorKind::kOptions, "shape must be an object");
  const auto object = value.As<Napi::Object>();
  shape.b_frames = ReadFlag(object.Get("bFrames"), "shape.bFrames");
  shape.slices = ReadFlag(object.Get("slices"), "shape.slices");
  shape.au_sei = ReadFlag(object.Get("auSei"), "shape.auSei");
  shape.strip_vui = ReadFlag(object.Get("stripVui"), "shape.stripVui");
  shape.opus_dtx = ReadFlag(object.Get("opusDtx"), "shape.opusDtx");
  shape.left_tone = ReadFlag(object.Get("leftTone"), "shape.leftTone");
  if (!object.Get("firstFrame").IsUndefined()) {
    shape.first_frame =
        ReadUnsigned(object.Get("firstFrame"), "shape.firstFrame", 0, (1U << kCounterBits) - 1);
  }
  if (!object.Get("parameterSets").IsUndefined()) {
    shape.parameter_sets_out_of_band =
        ReadOneOf<bool>(object.Get("parameterSets"), "shape.parameterSets",
                        {{"inband", false}, {"outofband", true}});
  }
  if (!object.Get("keyframes").IsUndefined()) {
    shape.keyframes = ReadOneOf<KeyframePolicy>(object.Get("keyframes"), "shape.keyframes",
                                                {{"onRequest", KeyframePolicy::kOnRequest},
                                                 {"onFir", KeyframePolicy::kOnFir},
                                                 {"firstOnly", KeyframePolicy::kFirstOnly},
                                                 {"never", KeyframePolicy::kNever}});
  }
  shape.clock = ReadClockFault(object);
  return shape;
}

}  // namespace

TestSourceOptions ReadTestSourceOptions(const Napi::Object& object) {
  TestSourceOptions options;
  options.width = ReadUnsigned(object.Get("width"), "width", kMinWidth, kMaxWidth);
  options.height = ReadUnsigned(object.Get("height"), "height", kMinHeight, kMaxHeight);
  options.frame_rate = ReadUnsigned(object.Get("frameRate"), "frameRate", 1, 60);
  options.video_bitrate_bps =
      ReadUnsigned(object.Get("videoBitrateBps"), "videoBitrateBps", 64'000, 20'000'000);
  options.audio = ReadBool(object.Get("audio"), "audio");
  const Napi::Value video = object.Get("video");
  options.video = video.IsUndefined() || ReadBool(video, "video");
  if (!object.Get("videoCodec").IsUndefined()) {
    options.video_codec = ReadOneOf<TestVideoCodec>(object.Get("videoCodec"), "videoCodec",
                                                    {{"h264", TestVideoCodec::kH264},
                                                     {"h265", TestVideoCodec::kH265},
                                                     {"vp8", TestVideoCodec::kVp8},
                                                     {"vp9", TestVideoCodec::kVp9},
                                                     {"av1", TestVideoCodec::kAv1}});
  }
  if (!object.Get("audioCodec").IsUndefined()) {
    options.audio_codec = ReadOneOf<TestAudioCodec>(object.Get("audioCodec"), "audioCodec",
                                                    {{"opus", TestAudioCodec::kOpus},
                                                     {"pcmu", TestAudioCodec::kPcmu},
                                                     {"pcma", TestAudioCodec::kPcma}});
  }
  options.shape = ReadShape(object.Get("shape"));
  CheckTestSource(options);
  return options;
}

}  // namespace kvsbridge::binding
