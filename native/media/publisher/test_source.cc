#include "media/publisher/test_source.h"

#include <gst/video/video.h>

#include <string>

#include "media/gstreamer.h"
#include "media/media_error.h"
#include "media/publisher/h264_parameter_sets.h"
#include "media/publisher/test_encoder.h"
#include "media/publisher/test_picture.h"
#include "media/publisher/test_sound.h"

namespace kvsbridge {
namespace {

constexpr unsigned kOpusRateHz = 48'000;

ElementPtr ParseBin(const std::string& description) {
  GError* raw_error = nullptr;
  auto bin = ElementPtr::Sink(gst_parse_bin_from_description_full(
      description.c_str(), TRUE, nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &raw_error));
  const GErrorPtr error(raw_error);
  if (!bin || error) {
    throw MediaError(ErrorKind::kMedia, std::string("the test source cannot be built: ") +
                                            (error ? error->message : "no reason given"));
  }
  return bin;
}

PadPtr PadOf(const ElementPtr& bin, const char* element, const char* pad) {
  const auto named = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(bin.get()), element));
  return PadPtr::Adopt(gst_element_get_static_pad(named.get(), pad));
}

std::string RtpCaps(const std::string& media, const char* encoding_name, unsigned clock_rate_hz,
                    unsigned payload_type) {
  return " ! capsfilter caps=application/x-rtp,media=" + media + ",encoding-name=" + encoding_name +
         ",clock-rate=" + std::to_string(clock_rate_hz) +
         ",payload=" + std::to_string(payload_type);
}

std::string DescribeAudioEncoder(const TestSourceOptions& options, unsigned payload_type) {
  const std::string pay = " name=audio-pay pt=" + std::to_string(payload_type);
  if (options.audio_codec == TestAudioCodec::kOpus) {
    RequireElements({"opusenc", "rtpopuspay"});
    const std::string dtx = options.shape.opus_dtx ? "true" : "false";
    return "opusenc name=audio-encode bitrate=64000 frame-size=20 dtx=" + dtx +
           (options.shape.opus_dtx ? " audio-type=voice" : "") + " ! rtpopuspay dtx=" + dtx + pay;
  }
  const bool is_mu = options.audio_codec == TestAudioCodec::kPcmu;
  RequireElements({is_mu ? "mulawenc" : "alawenc", is_mu ? "rtppcmupay" : "rtppcmapay"});
  return std::string(is_mu ? "mulawenc ! rtppcmupay" : "alawenc ! rtppcmapay") +
         " min-ptime=20000000 max-ptime=20000000" + pay;
}

// Runs on the streaming thread. rtph264pay answers the event by sending parameter sets in band.
GstPadProbeReturn DropKeyUnitEvent(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer /*user_data*/) {
  const bool is_key_unit =
      gst_video_event_is_force_key_unit(GST_PAD_PROBE_INFO_EVENT(info)) != FALSE;
  return is_key_unit ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

}  // namespace

CapsPtr TestPictureCaps(unsigned width, unsigned height, unsigned frame_rate) {
  return CapsPtr::Adopt(gst_caps_new_simple(
      "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, static_cast<int>(width),
      "height", G_TYPE_INT, static_cast<int>(height), "framerate", GST_TYPE_FRACTION,
      static_cast<int>(frame_rate), 1, nullptr));
}

ElementPtr MakeTestVideo(const TestSourceOptions& options, unsigned payload_type) {
  RequireElements({"videotestsrc", "valve", "timeoverlay", "clockoverlay", "queue", "identity"});
  auto bin = ParseBin(
      "videotestsrc is-live=true pattern=smpte horizontal-speed=2 "
      "! capsfilter name=size "
      "! clockoverlay halignment=center valignment=center font-desc=\"Sans 24\" "
      "time-format=\"%Y-%m-%d %H:%M:%S\" "
      "! timeoverlay halignment=center valignment=bottom font-desc=\"Sans 24\" "
      "! valve name=gate drop=true "
      "! queue name=video-queue max-size-buffers=4 max-size-bytes=0 max-size-time=0 "
      "leaky=downstream "
      "! identity name=burn "
      "! " +
      DescribeVideoEncoder(options, payload_type) +
      RtpCaps("video", EncodingName(options.video_codec), 90'000, payload_type) +
      DescribeVideoFormat(options));
  const auto size = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(bin.get()), "size"));
  const CapsPtr caps = TestPictureCaps(options.width, options.height, options.frame_rate);
  g_object_set(size.get(), "caps", caps.get(), nullptr);
  BurnCounterAt(PadOf(bin, "burn", "src").get(), options.frame_rate, options.shape.first_frame);
  if (options.shape.strip_vui) StripVuiAt(PadOf(bin, "encoded", "src").get());
  if (options.shape.parameter_sets_out_of_band) {
    const PadPtr encoded = PadOf(bin, "encoded", "src");
    StripParameterSetsAt(encoded.get());
    gst_pad_add_probe(encoded.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, DropKeyUnitEvent, nullptr,
                      nullptr);
  }
  return bin;
}

ElementPtr MakeTestAudio(const TestSourceOptions& options, unsigned payload_type) {
  RequireElements({"audiotestsrc", "valve", "volume", "identity"});
  const bool is_opus = options.audio_codec == TestAudioCodec::kOpus;
  const unsigned rate_hz = is_opus ? kOpusRateHz : 8'000;
  const unsigned channels = is_opus ? 2 : 1;
  auto bin = ParseBin(
      "audiotestsrc is-live=true wave=silence samplesperbuffer=" + std::to_string(rate_hz / 100) +
      " ! audio/x-raw,format=S16LE,layout=interleaved,rate=" + std::to_string(rate_hz) +
      ",channels=" + std::to_string(channels) +
      " ! identity name=sound ! volume name=mute ! valve name=gate drop=true ! " +
      DescribeAudioEncoder(options, payload_type) +
      RtpCaps("audio", EncodingName(options.audio_codec), rate_hz, payload_type));
  AddTicksAt(PadOf(bin, "sound", "src").get(), rate_hz, channels);
  if (options.shape.left_tone) AddLeftToneAt(PadOf(bin, "sound", "src").get(), rate_hz);
  return bin;
}

}  // namespace kvsbridge
