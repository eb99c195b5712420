#include "media/tracks/track.h"

#include <gst/video/video.h>

#include <utility>

#include "media/gstreamer.h"
#include "media/media_error.h"
#include "media/tracks/audio_track.h"
#include "media/tracks/keyframe_filter.h"
#include "media/tracks/loss_gate.h"
#include "media/tracks/unparsed_frames.h"
#include "media/tracks/video_track.h"
#include "media/tracks/video_transcoder.h"

namespace kvsbridge {
namespace {

// Runs where the pad is idle: on the caller's thread, else on the streaming thread after its push.
GstPadProbeReturn SendEos(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer user_data) {
  gst_pad_send_event(static_cast<GstPad*>(user_data), gst_event_new_eos());
  return GST_PAD_PROBE_REMOVE;
}

TrackParts MakeParts(const PadMedia& media, AudioMode audio, const TrackHandlers& handlers) {
  if (media.kind == "video") {
    if (const auto codec = SourceCodecNamed(media.codec)) {
      return IsStoredUntouched(*codec) ? MakePassThrough(*codec, handlers)
                                       : VideoTranscoder::Make(*codec, handlers);
    }
  } else if (media.kind == "audio" && IsAudioCodec(media.codec)) {
    return MakeAudioTrack(media.codec, audio, handlers);
  }
  throw MediaError(
      ErrorKind::kMedia,
      "the peer sends " + media.kind + " as " + media.codec + ", which was not offered", "webrtc");
}

GstPadProbeReturn DropData(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer /*user_data*/) {
  return GST_PAD_PROBE_DROP;
}

KeyframeTest KeyframeTestFor(const std::string& codec) {
  if (codec == EncodingName(SourceCodec::kH264)) return IsWholeIdr;
  if (codec == EncodingName(SourceCodec::kH265)) return IsWholeIrap;
  return IsNoDeltaUnit;
}

}  // namespace

PadMedia ReadPadMedia(GstPad* pad) {
  auto caps = CapsPtr::Adopt(gst_pad_get_current_caps(pad));
  if (!caps) caps = CapsPtr::Adopt(gst_pad_query_caps(pad, nullptr));
  if (!caps || gst_caps_is_empty(caps.get()) == TRUE || gst_caps_is_any(caps.get()) == TRUE) {
    throw MediaError(ErrorKind::kMedia, "a media pad of the peer has no caps", "webrtc");
  }
  const GstStructure* structure = gst_caps_get_structure(caps.get(), 0);
  guint ssrc = 0;
  const bool named = gst_structure_get_uint(structure, "ssrc", &ssrc) == TRUE;
  return {ToString(gst_structure_get_string(structure, "media")),
          ToString(gst_structure_get_string(structure, "encoding-name")),
          named ? std::optional<std::uint32_t>(ssrc) : std::nullopt};
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
  const bool is_h265 = gst_structure_has_name(structure, "video/x-h265") == TRUE;
  return VideoFormat{is_h265 ? VideoCodec::kH265 : VideoCodec::kH264,
                     Bytes(mapped.data(), mapped.data() + mapped.size()),
                     static_cast<unsigned>(width), static_cast<unsigned>(height)};
}

std::unique_ptr<Track> Track::Create(GstBin* pipeline, GstPad* pad, AudioMode audio,
                                     const TrackHandlers& handlers) {
  const PadMedia media = ReadPadMedia(pad);
  std::unique_ptr<Track> track(new Track(media, MakeParts(media, audio, handlers)));
  if (media.kind == "video") {
    WatchUnparsedFrames(pad, track->coded_pad().get(),
                        [on_dropped = handlers.on_dropped] { on_dropped(1, "before-keyframe"); });
    track->GateLosses(pad, handlers);
  }
  track->Build(pipeline);
  track->Link(pad);
  // A decoder alone knows that it cannot go on; of a parser, frames before-keyframe tell.
  StopKeyframeRequests(track->sink_pad_.get(),
                       track->transcoded() ? handlers.on_loss : std::function<void()>());
  return track;
}

Track::Track(PadMedia media, TrackParts parts)
    : kind_(std::move(media.kind)),
      codec_(std::move(media.codec)),
      stored_as_(std::move(parts.stored_as)),
      elements_(std::move(parts.elements)),
      coded_(elements_[parts.coded]),
      transcoder_(std::move(parts.transcoder)) {}

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

void Track::Build(GstBin* pipeline) {
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

PadPtr Track::coded_pad() const {
  return PadPtr::Adopt(gst_element_get_static_pad(coded_.get(), "src"));
}

/// What a lost packet leaves undecodable ends before a decoder or sink, where it can be counted.
void Track::GateLosses(GstPad* packets, const TrackHandlers& handlers) const {
  LossGate::Install(packets, coded_pad().get(), codec_, KeyframeTestFor(codec_),
                    {handlers.on_lost, handlers.on_loss,
                     [on_dropped = handlers.on_dropped] { on_dropped(1, "undecodable"); }});
}

bool Track::RequestKeyframe(bool fir) {
  if (transcoder_ != nullptr && transcoder_->ForceKeyframe()) return true;
  return RequestSenderKeyframe(fir);
}

bool Track::RequestSenderKeyframe(bool fir) {
  // rtpmanager answers a request for all headers with FIR where the caps say "ccm fir", any other
  // with PLI.
  const gboolean all_headers = fir ? TRUE : FALSE;
  // To webrtcbin's pad itself: past StopKeyframeRequests.
  return gst_pad_send_event(source_pad_.get(), gst_video_event_new_upstream_force_key_unit(
                                                   GST_CLOCK_TIME_NONE, all_headers, 0)) == TRUE;
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
