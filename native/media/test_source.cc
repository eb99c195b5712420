#include "media/test_source.h"

#include <gst/video/video.h>

#include <cstring>
#include <string>

#include "media/gstreamer.h"
#include "media/media_error.h"

namespace kvsbridge {
namespace {

constexpr guint8 kWhite = 235;
constexpr guint8 kBlack = 16;

/// State of the counter that is burned into one stream of pictures.
struct Counter {
  std::uint32_t next = 0;
  GstClockTime last_second = GST_CLOCK_TIME_NONE;
};

void DeleteCounter(gpointer data) { delete static_cast<Counter*>(data); }

void FillSquare(guint8* luma, gint stride, unsigned index, guint8 value) {
  for (unsigned row = 0; row < kCounterSquare; ++row) {
    std::memset(luma + static_cast<std::size_t>(row) * static_cast<std::size_t>(stride) +
                    static_cast<std::size_t>(index) * kCounterSquare,
                value, kCounterSquare);
  }
}

// Runs on the streaming thread, on raw I420 pictures behind the gate.
GstPadProbeReturn BurnCounter(GstPad* pad, GstPadProbeInfo* info, gpointer user_data) {
  auto* counter = static_cast<Counter*>(user_data);
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  info->data = buffer;
  const auto caps = CapsPtr::Adopt(gst_pad_get_current_caps(pad));
  GstVideoInfo video;
  GstVideoFrame frame;
  if (!caps || gst_video_info_from_caps(&video, caps.get()) == FALSE ||
      gst_video_frame_map(&frame, &video, buffer, GST_MAP_READWRITE) == FALSE) {
    return GST_PAD_PROBE_DROP;  // a picture without its number would break the count
  }
  const std::uint32_t number = counter->next++;
  auto* luma = static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
  const gint stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
  for (unsigned bit = 0; bit < kCounterBits; ++bit) {
    const bool one = ((number >> (kCounterBits - 1 - bit)) & 1U) != 0;
    FillSquare(luma, stride, bit, one ? kWhite : kBlack);
  }
  const GstClockTime second = GST_BUFFER_PTS(buffer) / GST_SECOND;
  const bool flash = counter->last_second != GST_CLOCK_TIME_NONE && second != counter->last_second;
  counter->last_second = second;
  FillSquare(luma, stride, kCounterBits, flash ? kWhite : kBlack);
  gst_video_frame_unmap(&frame);
  return GST_PAD_PROBE_OK;
}

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

}  // namespace

ElementPtr MakeTestVideo(const TestSourceOptions& options, unsigned payload_type) {
  RequireElements({"videotestsrc", "valve", "x264enc", "h264parse", "rtph264pay", "timeoverlay",
                   "clockoverlay", "queue"});
  const std::string rate = std::to_string(options.frame_rate);
  // No do-timestamp, here and in the tone: it shifts all of a source's timestamps by how late its
  // first buffer was, so that flash and tick would be up to a frame apart at the source.
  // Zero latency, no B-frames, one reference; a keyframe at least every 10 s, else on request.
  auto bin = ParseBin(
      "videotestsrc is-live=true pattern=smpte horizontal-speed=2 "
      "! video/x-raw,format=I420,width=" +
      std::to_string(options.width) + ",height=" + std::to_string(options.height) +
      ",framerate=" + rate +
      "/1 "
      "! clockoverlay halignment=center valignment=center font-desc=\"Sans 24\" "
      "time-format=\"%Y-%m-%d %H:%M:%S\" "
      "! timeoverlay halignment=center valignment=bottom font-desc=\"Sans 24\" "
      "! valve name=gate drop=true "
      "! queue name=video-queue max-size-buffers=4 max-size-bytes=0 max-size-time=0 "
      "leaky=downstream "
      "! identity name=burn "
      "! x264enc name=video-encode tune=zerolatency speed-preset=ultrafast bframes=0 ref=1 "
      "threads=1 key-int-max=" +
      std::to_string(10 * options.frame_rate) +
      " bitrate=" + std::to_string(options.video_bitrate_bps / 1000) +
      " ! video/x-h264,profile=constrained-baseline,stream-format=byte-stream "
      "! rtph264pay name=video-pay config-interval=-1 aggregate-mode=zero-latency mtu=1200 pt=" +
      std::to_string(payload_type) +
      " ! capsfilter "
      "caps=application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=" +
      std::to_string(payload_type));
  const auto burn = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(bin.get()), "burn"));
  const auto pad = PadPtr::Adopt(gst_element_get_static_pad(burn.get(), "src"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, BurnCounter,
                    std::make_unique<Counter>().release(), DeleteCounter);
  return bin;
}

ElementPtr MakeTestAudio(unsigned payload_type) {
  RequireElements({"audiotestsrc", "valve", "opusenc", "rtpopuspay", "audioconvert"});
  // Small buffers: audiotestsrc (1.22) begins each tick but the first one buffer too early.
  return ParseBin(
      "audiotestsrc is-live=true wave=ticks freq=1000 tick-interval=1000000000 "
      "sine-periods-per-tick=50 volume=0.8 samplesperbuffer=120 "
      "! audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved "
      "! valve name=gate drop=true "
      "! opusenc name=audio-encode bitrate=64000 frame-size=20 "
      "! rtpopuspay name=audio-pay pt=" +
      std::to_string(payload_type) +
      " ! capsfilter "
      "caps=application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=" +
      std::to_string(payload_type));
}

}  // namespace kvsbridge
