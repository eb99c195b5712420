#include "media/tracks/transcoder_elements.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "media/gstreamer.h"
#include "media/tracks/av1_depay.h"
#include "media/tracks/track_parts.h"

namespace kvsbridge {
namespace {

/// 10 s at 30 frames a second: the recorder asks for its keyframes long before.
constexpr int kMaxKeyframeDistance = 300;

/// Quality that is aimed at while the bitrate allows it; 23 is x264's own default.
constexpr unsigned kQuantizer = 23;

const char* DecoderFor(SourceCodec codec) {
  if (codec == SourceCodec::kVp8) return "vp8dec";
  if (codec == SourceCodec::kVp9) return "vp9dec";
  // dav1d takes a third of libaom's time, where it is packaged.
  return HasElement("dav1ddec") ? "dav1ddec" : "av1dec";
}

}  // namespace

void RequireTranscoderElements(SourceCodec codec) {
  RequireElements({DecoderFor(codec), "videoconvert", "videocrop", "queue"});
  if (codec == SourceCodec::kVp8) RequireElements({"rtpvp8depay"});
  if (codec == SourceCodec::kVp9) RequireElements({"rtpvp9depay", "vp9parse"});
  if (codec == SourceCodec::kAv1) RequireElements({"av1parse"});
  if (!HasElement("openh264enc")) RequireElements({"x264enc"});
}

ElementPtr MakeTranscodedDepayloader(SourceCodec codec) {
  constexpr const char* kName = "video-depay";
  if (codec == SourceCodec::kAv1) return MakeAv1Depayloader(kName);
  auto depay = MakeElement(codec == SourceCodec::kVp8 ? "rtpvp8depay" : "rtpvp9depay", kName);
  // It holds everything back until the first keyframe, and should say so to the sender.
  g_object_set(depay.get(), "request-keyframe", TRUE, nullptr);
  return depay;
}

std::vector<ElementPtr> MakeTranscodedParser(SourceCodec codec) {
  if (codec == SourceCodec::kVp8) return {};
  const bool is_vp9 = codec == SourceCodec::kVp9;
  // Hidden frames stay with the one that is shown: what goes in comes out, one for one.
  return {MakeElement(is_vp9 ? "vp9parse" : "av1parse", "video-parse"),
          MakeCapsFilter("video-frames", is_vp9 ? "video/x-vp9,alignment=super-frame"
                                                : "video/x-av1,alignment=tu")};
}

ElementPtr MakeVideoDecoder(SourceCodec codec) {
  const char* factory = DecoderFor(codec);
  auto decoder = MakeElement(factory, "video-decode");
  // A frame that does not decode is the peer's doing: it is dropped, never the end of the session.
  g_object_set(decoder.get(), "max-errors", -1, nullptr);
  SetFlagIfKnown(decoder.get(), "qos", false);
  SetFlagIfKnown(decoder.get(), "discard-corrupted-frames", true);
  SetFlagIfKnown(decoder.get(), "automatic-request-sync-points", true);
  if (codec != SourceCodec::kAv1) g_object_set(decoder.get(), "threads", 1, nullptr);
  if (std::string_view(factory) == "dav1ddec") {
    g_object_set(decoder.get(), "n-threads", 1, "max-frame-delay", G_GINT64_CONSTANT(1), nullptr);
  }
  return decoder;
}

ElementPtr MakeH264Encoder() {
  if (!HasElement("x264enc")) {
    auto encoder = MakeElement("openh264enc", "video-encode");
    gst_util_set_object_arg(G_OBJECT(encoder.get()), "complexity", "low");
    gst_util_set_object_arg(G_OBJECT(encoder.get()), "rate-control", "bitrate");
    g_object_set(encoder.get(), "gop-size", static_cast<guint>(kMaxKeyframeDistance),
                 "multi-thread", 1U, "enable-frame-skip", FALSE, nullptr);
    return encoder;
  }
  auto encoder = MakeElement("x264enc", "video-encode");
  auto* object = G_OBJECT(encoder.get());
  gst_util_set_object_arg(object, "tune", "zerolatency");
  // 0.8 of veryfast's time; ultrafast, which takes 0.6 of this one's, drops the deblocking filter.
  gst_util_set_object_arg(object, "speed-preset", "superfast");
  // Constant quality up to a bitrate: a still picture costs next to nothing.
  gst_util_set_object_arg(object, "pass", "qual");
  // No keyframes of its own at scene cuts: the recorder decides where fragments begin.
  g_object_set(object, "quantizer", kQuantizer, "key-int-max",
               static_cast<guint>(kMaxKeyframeDistance), "bframes", 0U, "threads", 1U,
               "option-string", "scenecut=0", nullptr);
  return encoder;
}

void SetEncoderBitrate(GstElement* encoder, unsigned bitrate_bps, double frame_rate) {
  // The encoder divides by the nominal frame rate to find what a frame may take.
  const double nominal_bps = bitrate_bps * kNominalFrameRate / std::clamp(frame_rate, 1.0, 120.0);
  // x264enc counts in kbit/s, openh264enc in bit/s.
  const double unit_bps = HasProperty(encoder, "vbv-buf-capacity") ? 1'000 : 1;
  g_object_set(encoder, "bitrate", static_cast<guint>(std::lround(nominal_bps / unit_bps)),
               nullptr);
}

}  // namespace kvsbridge
