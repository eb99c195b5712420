#include "media/track.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include <utility>

#include "media/aac.h"
#include "media/aac_encoder.h"
#include "media/audio_retimer.h"
#include "media/gstreamer.h"
#include "media/loss_gate.h"
#include "media/media_error.h"

namespace kvsbridge {
namespace {

// Runs on the streaming thread.
GstFlowReturn OnNewSample(GstAppSink* sink, gpointer user_data) {
  auto sample = SamplePtr::Adopt(gst_app_sink_pull_sample(sink));
  if (!sample) return GST_FLOW_EOS;
  const GstBuffer* buffer = gst_sample_get_buffer(sample.get());
  const GstSegment* segment = gst_sample_get_segment(sample.get());
  if (buffer == nullptr || segment == nullptr || !GST_BUFFER_PTS_IS_VALID(buffer)) {
    return GST_FLOW_OK;
  }
  // Encoder delay can put the first audio frame before the segment: it has no running time.
  const GstClockTime running_time =
      gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (!GST_CLOCK_TIME_IS_VALID(running_time)) return GST_FLOW_OK;
  static_cast<Track::Handlers*>(user_data)->on_sample({std::move(sample), running_time});
  return GST_FLOW_OK;
}

// Runs on the streaming thread.
void OnEos(GstAppSink* /*sink*/, gpointer user_data) {
  static_cast<Track::Handlers*>(user_data)->on_eos();
}

void DeleteHandlers(gpointer data) { delete static_cast<Track::Handlers*>(data); }

ElementPtr MakeAppSink(const std::string& name, const char* caps_text, Track::Handlers handlers) {
  auto element = MakeElement("appsink", name);
  auto* sink = GST_APP_SINK(element.get());
  const auto caps = CapsPtr::Adopt(gst_caps_from_string(caps_text));
  gst_app_sink_set_caps(sink, caps.get());
  // async=false: a sink without data must not hold the pipeline's state change back.
  g_object_set(sink, "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, nullptr);
  GstAppSinkCallbacks callbacks = {};
  callbacks.eos = OnEos;
  callbacks.new_sample = OnNewSample;
  auto owned = std::make_unique<Track::Handlers>(std::move(handlers));
  gst_app_sink_set_callbacks(sink, &callbacks, owned.release(), DeleteHandlers);
  return element;
}

ElementPtr MakeCapsFilter(const std::string& name, const std::string& caps_text) {
  auto element = MakeElement("capsfilter", name);
  const auto caps = CapsPtr::Adopt(gst_caps_from_string(caps_text.c_str()));
  g_object_set(element.get(), "caps", caps.get(), nullptr);
  return element;
}

std::vector<ElementPtr> H264Elements(Track::Handlers handlers) {
  auto depay = MakeElement("rtph264depay", "video-depay");
  auto parse = MakeElement("h264parse", "video-parse");
  auto sink =
      MakeAppSink("video-out", "video/x-h264,stream-format=avc,alignment=au", std::move(handlers));
  return {depay, parse, sink};
}

std::vector<ElementPtr> OpusElements(Track::Handlers handlers) {
  auto depay = MakeElement("rtpopusdepay", "audio-depay");
  auto decode = MakeElement("opusdec", "audio-decode");
  g_object_set(decode.get(), "use-inband-fec", TRUE, "plc", TRUE, nullptr);
  auto convert = MakeElement("audioconvert", "audio-convert");
  auto resample = MakeElement("audioresample", "audio-resample");
  auto raw = MakeCapsFilter("audio-raw", "audio/x-raw,rate=" + std::to_string(kAacSampleRate) +
                                             ",channels=" + std::to_string(kAacChannels));
  auto encode = MakeAacEncoder("audio-encode");
  auto sink =
      MakeAppSink("audio-out", "audio/mpeg,mpegversion=4,stream-format=raw", std::move(handlers));
  RetimeAudio(PadPtr::Adopt(gst_element_get_static_pad(convert.get(), "sink")).get(),
              PadPtr::Adopt(gst_element_get_static_pad(encode.get(), "src")).get());
  return {depay, decode, convert, resample, raw, encode, sink};
}

// Runs where the pad is idle: on the caller's thread, else on the streaming thread after its push.
GstPadProbeReturn SendEos(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer user_data) {
  gst_pad_send_event(static_cast<GstPad*>(user_data), gst_event_new_eos());
  return GST_PAD_PROBE_REMOVE;
}

GstPadProbeReturn DropData(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer /*user_data*/) {
  return GST_PAD_PROBE_DROP;
}

/// What a lost packet leaves undecodable ends between parser and sink, where it can be counted.
void GateLosses(GstPad* packets, const ElementPtr& parser, const std::string& codec,
                const Track::Handlers& handlers) {
  const auto frames = PadPtr::Adopt(gst_element_get_static_pad(parser.get(), "src"));
  LossGate::Install(packets, frames.get(), codec, IsWholeIdr,
                    {handlers.on_loss, handlers.on_undecodable});
}

}  // namespace

PadMedia ReadPadMedia(GstPad* pad) {
  auto caps = CapsPtr::Adopt(gst_pad_get_current_caps(pad));
  if (!caps) caps = CapsPtr::Adopt(gst_pad_query_caps(pad, nullptr));
  if (!caps || gst_caps_is_empty(caps.get()) == TRUE || gst_caps_is_any(caps.get()) == TRUE) {
    throw MediaError(ErrorKind::kMedia, "a media pad of the peer has no caps", "webrtc");
  }
  const GstStructure* structure = gst_caps_get_structure(caps.get(), 0);
  return {ToString(gst_structure_get_string(structure, "media")),
          ToString(gst_structure_get_string(structure, "encoding-name"))};
}

std::optional<VideoFormat> ReadVideoFormat(GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  const GValue* codec_data = gst_structure_get_value(structure, "codec_data");
  gint width = 0;
  gint height = 0;
  if (codec_data == nullptr || gst_structure_get_int(structure, "width", &width) == FALSE ||
      gst_structure_get_int(structure, "height", &height) == FALSE || width <= 0 || height <= 0) {
    return std::nullopt;
  }
  const MappedBuffer mapped(gst_value_get_buffer(codec_data));
  if (mapped.size() < 7) return std::nullopt;
  return VideoFormat{VideoCodec::kH264, Bytes(mapped.data(), mapped.data() + mapped.size()),
                     static_cast<unsigned>(width), static_cast<unsigned>(height)};
}

std::unique_ptr<Track> Track::Create(GstBin* pipeline, GstPad* pad, Handlers handlers) {
  const PadMedia media = ReadPadMedia(pad);
  std::vector<ElementPtr> elements;
  if (media.kind == "video" && media.codec == "H264") {
    elements = H264Elements(handlers);
    GateLosses(pad, elements[1], media.codec, handlers);
  } else if (media.kind == "audio" && media.codec == "OPUS") {
    elements = OpusElements(std::move(handlers));
  } else {
    throw MediaError(ErrorKind::kMedia,
                     "the peer sends " + media.kind + " as " + media.codec +
                         ", which was not offered; expected H264 video and OPUS audio",
                     "webrtc");
  }
  std::unique_ptr<Track> track(new Track(media.kind, media.codec));
  track->Build(pipeline, elements);
  track->Link(pad);
  return track;
}

Track::Track(std::string kind, std::string codec)
    : kind_(std::move(kind)), codec_(std::move(codec)) {}

Track::~Track() {
  if (source_pad_) {
    Cut();
    gst_pad_unlink(source_pad_.get(), sink_pad_.get());
  }
  for (const auto& element : elements_) {
    // Still inside a pipeline only when the track ends before its session.
    gst_element_set_state(element.get(), GST_STATE_NULL);
    const auto parent =
        ElementPtr::Adopt(reinterpret_cast<GstElement*>(gst_element_get_parent(element.get())));
    if (parent) gst_bin_remove(GST_BIN(parent.get()), element.get());
  }
}

void Track::Build(GstBin* pipeline, const std::vector<ElementPtr>& elements) {
  elements_ = elements;
  for (const auto& element : elements_) gst_bin_add(pipeline, element.get());
  for (std::size_t i = 1; i < elements_.size(); ++i) {
    if (gst_element_link(elements_[i - 1].get(), elements_[i].get()) == FALSE) {
      throw MediaError(ErrorKind::kMedia, "the elements of a track do not link",
                       ToString(GST_OBJECT_NAME(elements_[i].get())));
    }
  }
  // Downstream first, so that no element pushes into one that is not ready.
  for (auto element = elements_.rbegin(); element != elements_.rend(); ++element) {
    if (gst_element_sync_state_with_parent(element->get()) == FALSE) {
      throw MediaError(ErrorKind::kMedia, "an element of a track does not start",
                       ToString(GST_OBJECT_NAME(element->get())));
    }
  }
}

void Track::Link(GstPad* pad) {
  source_pad_ = PadPtr::Share(pad);
  sink_pad_ = PadPtr::Adopt(gst_element_get_static_pad(elements_.front().get(), "sink"));
  if (gst_pad_link(pad, sink_pad_.get()) != GST_PAD_LINK_OK) {
    throw MediaError(ErrorKind::kMedia, "a media pad of the peer does not link", "webrtc");
  }
}

bool Track::RequestKeyframe() {
  return gst_pad_push_event(sink_pad_.get(), gst_video_event_new_upstream_force_key_unit(
                                                 GST_CLOCK_TIME_NONE, TRUE, 0)) == TRUE;
}

void Track::Drain() {
  if (cut_) return;
  Cut();
  // A packet that passed before the cut may still be on its way; EOS must not overtake it.
  gst_pad_add_probe(source_pad_.get(), GST_PAD_PROBE_TYPE_IDLE, SendEos,
                    gst_object_ref(sink_pad_.get()), gst_object_unref);
}

void Track::Cut() {
  if (!std::exchange(cut_, true)) DropMedia(source_pad_.get());
}

void DropMedia(GstPad* pad) {
  gst_pad_add_probe(
      pad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST |
                                   GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      DropData, nullptr, nullptr);
}

}  // namespace kvsbridge
