#include "media/publisher/publisher_session.h"

#include <gst/video/video.h>
#include <gst/webrtc/webrtc.h>

#include <functional>
#include <memory>
#include <utility>

#include "media/gstreamer.h"
#include "media/publisher/test_source.h"
#include "media/tracks/track.h"

namespace kvsbridge {
namespace {

constexpr unsigned kTicksPerStats = 10;
constexpr unsigned kVideoClockRateHz = 90'000;

/// How long the viewer may ask for packets again at a stop, once all were sent.
constexpr std::chrono::milliseconds kResendTime(200);

// Runs on the streaming thread.
GstPadProbeReturn CountFrame(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer user_data) {
  auto* counter = static_cast<std::shared_ptr<Guarded<std::uint64_t>>*>(user_data);
  (*counter)->With([](std::uint64_t& frames) { return ++frames; });
  return GST_PAD_PROBE_OK;
}

void DeleteCounter(gpointer data) {
  delete static_cast<std::shared_ptr<Guarded<std::uint64_t>>*>(data);
}

// Runs where the pad is idle: on the caller's thread, else on the streaming thread after its push.
GstPadProbeReturn SendEos(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer user_data) {
  gst_pad_send_event(static_cast<GstPad*>(user_data), gst_event_new_eos());
  return GST_PAD_PROBE_REMOVE;
}

// Runs on the streaming thread, behind the last packet: a push ends where the packet is sent. The
// peer connection goes on without the end of this stream.
GstPadProbeReturn OnEvent(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS) return GST_PAD_PROBE_OK;
  (*static_cast<std::function<void()>*>(user_data))();
  return GST_PAD_PROBE_DROP;
}

void DeleteFunction(gpointer data) { delete static_cast<std::function<void()>*>(data); }

/// An element of a test source, or nothing when there is no such source.
ElementPtr Find(const ElementPtr& source, const char* name) {
  if (!source) return {};
  return ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(source.get()), name));
}

PadPtr PadOf(const ElementPtr& source, const char* element, const char* pad) {
  return PadPtr::Adopt(gst_element_get_static_pad(Find(source, element).get(), pad));
}

}  // namespace

PublisherSession::PublisherSession(PublisherOptions options, std::shared_ptr<EventSink> events)
    : Session("kvsb-publisher", options.peer, std::move(events)), options_(std::move(options)) {}

PublisherSession::~PublisherSession() { Shutdown(); }

void PublisherSession::SetSending(bool video, bool audio) {
  Post([this, video, audio] {
    send_video_ = video;
    send_audio_ = audio;
    UpdateGates();
  });
}

void PublisherSession::SetMuted(bool muted) {
  Post([this, muted] {
    const ElementPtr mute = Find(audio_, "mute");
    if (mute) g_object_set(mute.get(), "mute", muted ? TRUE : FALSE, nullptr);
  });
}

void PublisherSession::SetSize(unsigned width, unsigned height) {
  Post([this, width, height] {
    const ElementPtr size = Find(video_, "size");
    const CapsPtr caps = TestPictureCaps(width, height, options_.source.frame_rate);
    if (size) g_object_set(size.get(), "caps", caps.get(), nullptr);
  });
}

void PublisherSession::ChangeVideoSsrc() {
  Post([this] {
    const ElementPtr encoder = Find(video_, "video-encode");
    if (!encoder || !video_packets_) return;
    video_packets_->ChangeSsrc();
    const auto pad = PadPtr::Adopt(gst_element_get_static_pad(encoder.get(), "src"));
    gst_pad_send_event(pad.get(),
                       gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  });
}

void PublisherSession::OnStart() {
  CheckTestSource(options_.source);
  const OfferedFormats formats = ReadOffer(options_.offer);
  if (options_.source.video) AddVideo(formats);
  if (options_.source.audio) AddAudio(formats);
  if (!video_ && !audio_) {
    throw MediaError(ErrorKind::kBadPeerInput, "the viewer's offer takes nothing of what is sent");
  }
  const ClockFault& fault = options_.source.shape.clock;
  if (fault.rtp_skew_ppm != 0) {
    gst_pipeline_use_clock(GST_PIPELINE_CAST(pipeline()),
                           MakeSkewedClock(fault.rtp_skew_ppm).get());
  }
  const auto rtp = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(peer().element()), "rtpbin"));
  if (rtp) {
    // Sender reports shall tell when a frame was taken, not when it left the encoder: receivers put
    // sound and picture together by them.
    g_object_set(rtp.get(), "rtcp-sync-send-time", FALSE, nullptr);
    FaultSenderReports(rtp.get(), fault);
  }
  gst_element_set_state(GST_ELEMENT_CAST(pipeline()), GST_STATE_PLAYING);
  peer().SetRemoteOfferAndAnswer(options_.offer);
}

void PublisherSession::AddVideo(const OfferedFormats& formats) {
  const TestSourceOptions& source = options_.source;
  const auto payload_type = formats.Find(source.video_codec, source.shape.b_frames);
  if (!payload_type) {
    WarnNotOffered(EncodingName(source.video_codec));
    return;
  }
  video_ = MakeTestVideo(source, *payload_type);
  const PadPtr encoded = PadOf(video_, "video-pay", "sink");
  const PadPtr packets = PadOf(video_, "video-pay", "src");
  // Ahead of the counter: what it drops is not sent.
  keyframes_.Install(encoded.get(), packets.get(), source.shape.keyframes);
  auto counter = std::make_unique<std::shared_ptr<Guarded<std::uint64_t>>>(frames_sent_);
  gst_pad_add_probe(encoded.get(), GST_PAD_PROBE_TYPE_BUFFER, CountFrame, counter.release(),
                    DeleteCounter);
  video_packets_.emplace(packets.get(), kVideoClockRateHz, source.shape.clock);
  AddSource(video_);
}

void PublisherSession::AddAudio(const OfferedFormats& formats) {
  const TestSourceOptions& source = options_.source;
  const auto payload_type = formats.Find(source.audio_codec);
  if (!payload_type) {
    WarnNotOffered(EncodingName(source.audio_codec));
    return;
  }
  audio_ = MakeTestAudio(source, *payload_type);
  const unsigned clock_rate_hz = source.audio_codec == TestAudioCodec::kOpus ? 48'000 : 8'000;
  audio_packets_.emplace(PadOf(audio_, "audio-pay", "src").get(), clock_rate_hz,
                         source.shape.clock);
  AddSource(audio_);
}

void PublisherSession::WarnNotOffered(const char* encoding_name) {
  Emit(ErrorEvent{ErrorKind::kBadPeerInput, false,
                  std::string("the viewer's offer has no ") + encoding_name + ": it is not sent",
                  "webrtc", ""});
}

void PublisherSession::AddSource(const ElementPtr& source) {
  gst_bin_add(pipeline(), source.get());
  const auto sink_pad = PadPtr::Adopt(gst_element_request_pad_simple(peer().element(), "sink_%u"));
  const auto source_pad = PadPtr::Adopt(gst_element_get_static_pad(source.get(), "src"));
  if (!sink_pad || gst_pad_link(source_pad.get(), sink_pad.get()) != GST_PAD_LINK_OK) {
    throw MediaError(ErrorKind::kMedia, "the test source does not link to webrtcbin", "webrtc");
  }
  GstWebRTCRTPTransceiver* raw_transceiver = nullptr;
  g_object_get(sink_pad.get(), "transceiver", &raw_transceiver, nullptr);
  const auto transceiver = ObjectPtr<GstWebRTCRTPTransceiver>::Adopt(raw_transceiver);
  g_object_set(transceiver.get(), "direction", GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY,
               "do-nack", source.get() == video_.get(), nullptr);
}

void PublisherSession::OnPad(PadPtr pad, gulong block_probe) {
  // A viewer has nothing to send; what comes all the same ends here.
  DropMedia(pad.get());
  gst_pad_remove_probe(pad.get(), block_probe);
}

void PublisherSession::OnConnected() {
  connected_ = true;
  UpdateGates();
}

void PublisherSession::UpdateGates() {
  const auto set = [this](const ElementPtr& source, bool wanted) {
    const ElementPtr gate = Find(source, "gate");
    const bool open = connected_ && !draining_ && wanted;
    if (gate) g_object_set(gate.get(), "drop", open ? FALSE : TRUE, nullptr);
  };
  set(video_, send_video_);
  set(audio_, send_audio_);
}

void PublisherSession::OnDrain() {
  draining_ = true;
  UpdateGates();
  if (!connected_) {
    FinishDrain();
    return;
  }
  unflushed_ = (video_ ? 1 : 0) + (audio_ ? 1 : 0);
  if (video_) Flush(PadOf(video_, "gate", "src"), PadOf(video_, "video-pay", "src"));
  if (audio_) Flush(PadOf(audio_, "gate", "src"), PadOf(audio_, "audio-pay", "src"));
}

void PublisherSession::Flush(const PadPtr& gate, const PadPtr& packets) {
  auto on_end = std::make_unique<std::function<void()>>([this] { Post([this] { OnFlushed(); }); });
  gst_pad_add_probe(packets.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, OnEvent, on_end.release(),
                    DeleteFunction);
  gst_pad_add_probe(gate.get(), GST_PAD_PROBE_TYPE_IDLE, SendEos, gst_pad_get_peer(gate.get()),
                    gst_object_unref);
}

void PublisherSession::OnFlushed() {
  if (--unflushed_ > 0) return;
  drain_ = LoopTimer(loop(), kResendTime, false, [this] { FinishDrain(); });
}

void PublisherSession::OnClosing() {
  drain_.Cancel();
  EmitStats();
}

void PublisherSession::OnClosed() {
  video_.reset();
  audio_.reset();
}

void PublisherSession::OnTick() {
  if (++ticks_ % kTicksPerStats == 0) EmitStats();
}

void PublisherSession::EmitStats() {
  SenderStatsEvent event;
  event.frames_sent = frames_sent_->With([](std::uint64_t& frames) { return frames; });
  event.keyframe_requests = keyframes_.requests();
  Emit(event);
}

}  // namespace kvsbridge
