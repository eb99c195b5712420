#include "media/tracks/video_transcoder.h"

#include <gst/video/video.h>

#include <optional>
#include <utility>

#include "media/gstreamer.h"
#include "media/tracks/transcoder_elements.h"

namespace kvsbridge {
namespace {

/// A frame that has waited this long for the decoder shows that the machine cannot keep up.
constexpr gint64 kMaxWaitUs = 700'000;
/// Bounds the memory, should frames come faster than any camera sends them.
constexpr std::size_t kMaxWaitingFrames = 120;
/// With this few waiting the decoder has caught up.
constexpr std::size_t kDrainedFrames = 3;
constexpr gint64 kKeyframeRetryUs = 1'000'000;

/// What H.264 level 5.1 holds; a picture of a few bytes can claim 16383x16383.
constexpr gint64 kMaxPixels = 4096LL * 2304;
/// x264's smallest picture.
constexpr gint kMinSide = 16;

constexpr guint kMaxRawFrames = 2;

using Method = GstPadProbeReturn (VideoTranscoder::*)(GstPad*, GstPadProbeInfo*);

constexpr auto kDataAndEvents =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);

/// Bounded by its owner, not by itself: a full queue would block the thread that fills it.
ElementPtr MakeQueue(const char* name, guint max_buffers) {
  auto queue = MakeElement("queue", name);
  g_object_set(queue.get(), "max-size-buffers", max_buffers, "max-size-bytes", 0U, "max-size-time",
               guint64{0}, nullptr);
  return queue;
}

void AskForKeyframe(GstPad* sink_pad) {
  gst_pad_push_event(sink_pad,
                     gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

}  // namespace

TrackParts VideoTranscoder::Make(SourceCodec codec, const TrackHandlers& handlers) {
  TrackParts parts;
  parts.elements.push_back(MakeTranscodedDepayloader(codec));
  for (auto& element : MakeTranscodedParser(codec)) parts.elements.push_back(std::move(element));
  parts.coded = parts.elements.size() - 1;
  auto decode_queue = MakeQueue("decode-queue", 0);
  auto decoder = MakeVideoDecoder(codec);
  auto convert = MakeElement("videoconvert", "video-convert");
  auto crop = MakeElement("videocrop", "video-crop");
  auto raw = MakeCapsFilter("video-raw", "video/x-raw,format=I420");
  auto encode_queue = MakeQueue("encode-queue", kMaxRawFrames);
  auto encoder = MakeH264Encoder();
  std::shared_ptr<VideoTranscoder> transcoder(new VideoTranscoder(codec, handlers, crop, encoder));
  transcoder->Watch(decode_queue.get(), decoder.get());
  parts.elements.insert(
      parts.elements.end(),
      {decode_queue, decoder, convert, crop, raw, encode_queue, encoder,
       // Main: a tenth fewer bits than baseline at the same quality, and every player takes it.
       MakeCapsFilter("video-profile", "video/x-h264,profile={(string)main,constrained-baseline}"),
       MakeElement("h264parse", "video-out-parse"),
       MakeTrackSink("video-out", "video/x-h264,stream-format=avc,alignment=au", handlers)});
  parts.stored_as = EncodingName(SourceCodec::kH264);
  parts.transcoder = std::move(transcoder);
  return parts;
}

VideoTranscoder::VideoTranscoder(SourceCodec codec, TrackHandlers handlers, ElementPtr crop,
                                 ElementPtr encoder)
    : handlers_(std::move(handlers)),
      crop_(std::move(crop)),
      encoder_(std::move(encoder)),
      follower_(codec) {}

void VideoTranscoder::Watch(GstElement* queue, GstElement* decoder) {
  struct Target {
    // Weak: the elements own their probes, and this object owns elements.
    std::weak_ptr<VideoTranscoder> transcoder;
    Method method;
  };
  const auto watch = [this](GstElement* element, const char* pad_name, Method method) {
    const auto pad = PadPtr::Adopt(gst_element_get_static_pad(element, pad_name));
    auto target = std::make_unique<Target>(Target{weak_from_this(), method});
    gst_pad_add_probe(
        pad.get(), kDataAndEvents,
        [](GstPad* probed, GstPadProbeInfo* info, gpointer user_data) {
          const auto* data = static_cast<Target*>(user_data);
          const auto self = data->transcoder.lock();
          return self ? (self.get()->*data->method)(probed, info) : GST_PAD_PROBE_DROP;
        },
        target.release(), [](gpointer data) { delete static_cast<Target*>(data); });
  };
  watch(queue, "sink", &VideoTranscoder::OnCoded);
  watch(decoder, "sink", &VideoTranscoder::OnDecoderInput);
  watch(decoder, "src", &VideoTranscoder::OnDecoded);
}

bool VideoTranscoder::ForceKeyframe() {
  const auto pad = PadPtr::Adopt(gst_element_get_static_pad(encoder_.get(), "src"));
  gst_pad_send_event(pad.get(),
                     gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  return state_.With([](const State& state) { return state.has_picture; });
}

GstPadProbeReturn VideoTranscoder::OnCoded(GstPad* pad, GstPadProbeInfo* info) {
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) == 0) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) OnCodedCaps(event);
    return GST_PAD_PROBE_OK;
  }
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (unsupported_size_) {
    handlers_.on_dropped(1, "unsupported-size");
    return GST_PAD_PROBE_DROP;
  }
  const auto pts_ns = static_cast<std::int64_t>(GST_BUFFER_PTS(buffer));
  if (const auto limit = follower_.OnFrame(gst_buffer_get_size(buffer), pts_ns)) ApplyLimit(*limit);
  if (EnterQueue(pad, buffer)) {
    started_ = true;
    return GST_PAD_PROBE_OK;
  }
  handlers_.on_dropped(1, started_ ? "transcoder-too-slow" : "before-keyframe");
  return GST_PAD_PROBE_DROP;
}

void VideoTranscoder::OnCodedCaps(GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  gint width = 0;
  gint height = 0;
  if (gst_structure_get_int(structure, "width", &width) == FALSE ||
      gst_structure_get_int(structure, "height", &height) == FALSE) {
    return;
  }
  unsupported_size_ = width < kMinSide || height < kMinSide || gint64{width} * height > kMaxPixels;
  if (unsupported_size_) return;
  ApplyLimit(follower_.OnSize(static_cast<unsigned>(width), static_cast<unsigned>(height)));
}

bool VideoTranscoder::EnterQueue(GstPad* pad, GstBuffer* buffer) {
  const gint64 now_us = g_get_monotonic_time();
  const bool keyframe = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  bool ask = false;
  const bool enters = state_.With([&](State& state) {
    const bool drained = state.waiting.size() <= kDrainedFrames;
    if (state.dropping) {
      state.dropping = !(keyframe && drained);
    } else {
      state.dropping = state.waiting.size() >= kMaxWaitingFrames ||
                       (!drained && now_us - state.waiting.front() > kMaxWaitUs);
    }
    if (!state.dropping) {
      state.waiting.push_back(now_us);
      return true;
    }
    ask = drained && now_us - state.keyframe_asked_us > kKeyframeRetryUs;
    if (ask) state.keyframe_asked_us = now_us;
    return false;
  });
  if (ask) AskForKeyframe(pad);
  return enters;
}

GstPadProbeReturn VideoTranscoder::OnDecoderInput(GstPad* /*pad*/, GstPadProbeInfo* info) {
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) == 0) return GST_PAD_PROBE_OK;
  const bool undecoded = state_.With([](State& state) {
    if (!state.waiting.empty()) state.waiting.pop_front();
    return std::exchange(state.decode_pending, true);
  });
  // The decoder gives each frame out before it takes the next, or never.
  if (undecoded) handlers_.on_dropped(1, "undecodable");
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn VideoTranscoder::OnDecoded(GstPad* /*pad*/, GstPadProbeInfo* info) {
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    state_.With([](State& state) {
      state.decode_pending = false;
      state.has_picture = true;
    });
  } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_CAPS) {
    FitEncoder(info);
  }
  return GST_PAD_PROBE_OK;
}

/// Cuts odd sizes, which 4:2:0 encoders refuse, and names a frame rate, see `kNominalFrameRate`.
void VideoTranscoder::FitEncoder(GstPadProbeInfo* info) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const auto fitted = CapsPtr::Adopt(gst_caps_copy(caps));
  GstStructure* structure = gst_caps_get_structure(fitted.get(), 0);
  gint width = 0;
  gint height = 0;
  gst_structure_get_int(structure, "width", &width);
  gst_structure_get_int(structure, "height", &height);
  g_object_set(crop_.get(), "right", width % 2, "bottom", height % 2, nullptr);
  gst_structure_set(structure, "framerate", GST_TYPE_FRACTION, kNominalFrameRate, 1, nullptr);
  GST_PAD_PROBE_INFO_DATA(info) = gst_event_new_caps(fitted.get());
  gst_event_unref(event);
}

void VideoTranscoder::ApplyLimit(const BitrateLimit& limit) {
  SetEncoderBitrate(encoder_.get(), limit.bitrate_bps, limit.frame_rate);
}

}  // namespace kvsbridge
