#include "media/publisher/test_encoder.h"

#include "glib/ptr.h"
#include "media/gstreamer.h"
#include "media/media_error.h"

namespace kvsbridge {
namespace {

/// Frames between keyframes that nobody asks for.
std::string KeyframeDistance(const TestSourceOptions& options) {
  const bool only_first = options.shape.keyframes == KeyframePolicy::kFirstOnly;
  return std::to_string(only_first ? 1'000'000 : 10 * options.frame_rate);
}

std::string Kilobits(const TestSourceOptions& options) {
  return std::to_string(options.video_bitrate_bps / 1000);
}

std::string H264Encoder(const TestSourceOptions& options) {
  RequireElements({"x264enc", "rtph264pay"});
  const SenderShape& shape = options.shape;
  std::string extra;
  if (shape.slices) extra += "slices=4:";
  if (shape.au_sei) extra += "pic-struct=1:";
  extra += "scenecut=0";
  // AVC keeps the parameter sets in the caps, byte-stream repeats them at each keyframe.
  const std::string format = shape.parameter_sets_out_of_band ? "avc" : "byte-stream";
  return std::string("x264enc name=video-encode speed-preset=ultrafast threads=1 ref=1 ") +
         (shape.b_frames ? "bframes=2 b-adapt=false rc-lookahead=0 sync-lookahead=0 "
                         : "tune=zerolatency bframes=0 ") +
         (shape.au_sei ? "aud=true " : "aud=false ") + "option-string=\"" + extra +
         "\" key-int-max=" + KeyframeDistance(options) + " bitrate=" + Kilobits(options) +
         " ! video/x-h264,profile=" + (shape.b_frames ? "main" : "constrained-baseline") +
         ",stream-format=" + format + ",alignment=au ! identity name=encoded" +
         " ! rtph264pay config-interval=" + (shape.parameter_sets_out_of_band ? "0" : "-1") +
         " aggregate-mode=zero-latency";
}

std::string H265Encoder(const TestSourceOptions& options) {
  RequireElements({"x265enc", "rtph265pay"});
  return "x265enc name=video-encode tune=zerolatency speed-preset=ultrafast log-level=none "
         "option-string=\"bframes=0:frame-threads=1:pools=1:scenecut=0:info=0\" key-int-max=" +
         KeyframeDistance(options) + " bitrate=" + Kilobits(options) +
         " ! video/x-h265,profile=main,stream-format=byte-stream,alignment=au"
         " ! identity name=encoded ! rtph265pay config-interval=-1 aggregate-mode=zero-latency";
}

std::string VpxEncoder(const TestSourceOptions& options, const std::string& version) {
  return "vp" + version +
         "enc name=video-encode deadline=1 cpu-used=8 threads=1 lag-in-frames=0 "
         "end-usage=cbr error-resilient=default keyframe-mode=auto keyframe-max-dist=" +
         KeyframeDistance(options) +
         " target-bitrate=" + std::to_string(options.video_bitrate_bps) +
         " ! identity name=encoded ! rtpvp" + version + "pay picture-id-mode=15-bit";
}

std::string Av1Encoder(const TestSourceOptions& options) {
  RequireElements({"av1enc", "av1parse", "rtpav1pay"});
  return "av1enc name=video-encode usage-profile=realtime cpu-used=8 threads=1 lag-in-frames=0 "
         "end-usage=cbr keyframe-max-dist=" +
         KeyframeDistance(options) + " target-bitrate=" + Kilobits(options) +
         " ! av1parse ! identity name=encoded ! rtpav1pay";
}

std::string Encoder(const TestSourceOptions& options) {
  switch (options.video_codec) {
    case TestVideoCodec::kH264:
      return H264Encoder(options);
    case TestVideoCodec::kH265:
      return H265Encoder(options);
    case TestVideoCodec::kVp8:
      RequireElements({"vp8enc", "rtpvp8pay"});
      return VpxEncoder(options, "8");
    case TestVideoCodec::kVp9:
      RequireElements({"vp9enc", "rtpvp9pay"});
      return VpxEncoder(options, "9");
    case TestVideoCodec::kAv1:
      return Av1Encoder(options);
  }
  throw MediaError(ErrorKind::kOptions, "no such video codec");
}

/// The sprop-parameter-sets of this encoder with these settings.
std::string ReadParameterSets(const TestSourceOptions& options) {
  const std::string description =
      "videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=" +
      std::to_string(options.width) + ",height=" + std::to_string(options.height) +
      ",framerate=" + std::to_string(options.frame_rate) + "/1 ! " + Encoder(options) +
      " name=video-pay ! fakesink name=end async=true";
  GError* raw_error = nullptr;
  const auto pipeline = ElementPtr::Sink(gst_parse_launch(description.c_str(), &raw_error));
  const GErrorPtr error(raw_error);
  if (!pipeline || error) {
    throw MediaError(ErrorKind::kMedia, std::string("no parameter sets: ") +
                                            (error ? error->message : "no reason given"));
  }
  gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
  gst_element_get_state(pipeline.get(), nullptr, nullptr, 5 * GST_SECOND);
  const auto end = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "end"));
  const auto pad = PadPtr::Adopt(gst_element_get_static_pad(end.get(), "sink"));
  const auto caps = CapsPtr::Adopt(gst_pad_get_current_caps(pad.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  std::string sets = caps ? ToString(gst_structure_get_string(gst_caps_get_structure(caps.get(), 0),
                                                              "sprop-parameter-sets"))
                          : "";
  if (sets.empty()) throw MediaError(ErrorKind::kMedia, "the encoder shows no parameter sets");
  return sets;
}

}  // namespace

std::string DescribeVideoEncoder(const TestSourceOptions& options, unsigned payload_type) {
  return Encoder(options) + " name=video-pay mtu=1200 pt=" + std::to_string(payload_type);
}

std::string DescribeVideoFormat(const TestSourceOptions& options) {
  if (!options.shape.parameter_sets_out_of_band) return "";
  return ",sprop-parameter-sets=(string)\"" + ReadParameterSets(options) + "\"";
}

}  // namespace kvsbridge
