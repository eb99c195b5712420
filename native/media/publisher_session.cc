#include "media/publisher_session.h"

#include <gst/webrtc/webrtc.h>

#include <utility>

#include "media/gstreamer.h"
#include "media/offer_reader.h"
#include "media/track.h"

namespace kvsbridge {
namespace {

constexpr unsigned kTicksPerStats = 10;

/// How long frames behind the gate may take through encoder, pacing and network at a stop.
constexpr std::chrono::milliseconds kDrainTime(200);

// Runs on the streaming thread.
GstPadProbeReturn CountFrame(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer user_data) {
  auto* counter = static_cast<std::shared_ptr<Guarded<std::uint64_t>>*>(user_data);
  (*counter)->With([](std::uint64_t& frames) { return ++frames; });
  return GST_PAD_PROBE_OK;
}

void DeleteCounter(gpointer data) {
  delete static_cast<std::shared_ptr<Guarded<std::uint64_t>>*>(data);
}

}  // namespace

PublisherSession::PublisherSession(PublisherOptions options, std::shared_ptr<EventSink> events)
    : Session("kvsb-publisher", options.peer, std::move(events)), options_(std::move(options)) {}

PublisherSession::~PublisherSession() { Shutdown(); }

void PublisherSession::OnStart() {
  const OfferedFormats formats = ReadOffer(options_.offer);
  if (formats.h264) {
    video_ = MakeTestVideo(options_.source, *formats.h264);
    const auto pay = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(video_.get()), "video-pay"));
    const auto pad = PadPtr::Adopt(gst_element_get_static_pad(pay.get(), "sink"));
    auto counter = std::make_unique<std::shared_ptr<Guarded<std::uint64_t>>>(frames_sent_);
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, CountFrame, counter.release(),
                      DeleteCounter);
    AddSource(video_);
  }
  if (formats.opus && options_.source.audio) {
    audio_ = MakeTestAudio(*formats.opus);
    AddSource(audio_);
  }
  // Sender reports shall tell when a frame was taken, not when it left the encoder: receivers put
  // sound and picture together by them.
  const auto rtp = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(peer().element()), "rtpbin"));
  if (rtp) g_object_set(rtp.get(), "rtcp-sync-send-time", FALSE, nullptr);
  gst_element_set_state(GST_ELEMENT_CAST(pipeline()), GST_STATE_PLAYING);
  peer().SetRemoteOfferAndAnswer(options_.offer);
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
  sending_ = true;
  SetGates(true);
}

void PublisherSession::SetGates(bool open) {
  for (const auto& source : {video_, audio_}) {
    if (!source) continue;
    const auto gate = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(source.get()), "gate"));
    g_object_set(gate.get(), "drop", open ? FALSE : TRUE, nullptr);
  }
}

void PublisherSession::OnDrain() {
  SetGates(false);
  if (!sending_) {
    FinishDrain();
    return;
  }
  drain_ = LoopTimer(loop(), kDrainTime, false, [this] { FinishDrain(); });
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
  StatsEvent event;
  event.frames_sent = frames_sent_->With([](std::uint64_t& frames) { return frames; });
  Emit(event);
}

}  // namespace kvsbridge
