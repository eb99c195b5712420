#include "media/session/receiver_session.h"

#include <algorithm>
#include <utility>

#include "media/gstreamer.h"
#include "media/peer/offer_caps.h"
#include "media/recorder/nal_units.h"
#include "media/sinks/epoch_sinks.h"
#include "media/sinks/put_media_sink.h"
#include "media/tracks/audio_track.h"

namespace kvsbridge {
namespace {

/// Media goes on to JavaScript five times a second: most of what storing costs is a price per time,
/// not per byte (docs/benchmarks.md).
constexpr unsigned kTicksPerDelivery = 2;
constexpr unsigned kTicksPerStats = 10;
constexpr std::int64_t kMsPerTick = 100;

/// What decoder and encoder add to the time that a lost packet of sound is waited for.
constexpr std::int64_t kAudioCodingMs = 150;

/// Behind a gap the jitter buffer holds a track back for its whole length, the other one not at
/// all.
ReceiverOptions WaitForLostSound(ReceiverOptions options) {
  std::int64_t& hold_ms = options.recorder.interleave_hold_ms;
  hold_ms = std::max(hold_ms, options.peer.jitter_buffer_ms + kAudioCodingMs);
  options.recorder.audio_hold_ms = std::max(options.recorder.audio_hold_ms, hold_ms);
  return options;
}

std::shared_ptr<const AudioFormat> StoredAudioFormat(const std::string& stored_as) {
  if (stored_as == "PCMA") return G711Format(AudioCodec::kAlaw);
  if (stored_as == "PCMU") return G711Format(AudioCodec::kMulaw);
  return AacFormat();
}

}  // namespace

ReceiverSession::ReceiverSession(ReceiverOptions options, std::shared_ptr<EventSink> events)
    : Session("kvsb-receiver", options.peer, std::move(events)),
      options_(WaitForLostSound(std::move(options))),
      inbox_(loop().poster(),
             [this](const std::vector<Delivery>& deliveries) { Deliver(deliveries); }) {}

ReceiverSession::~ReceiverSession() { Shutdown(); }

void ReceiverSession::SetRemoteAnswer(std::string sdp) {
  Post([this, text = std::move(sdp)] {
    if (!has_peer()) return;
    // Asks for lost packets again. Not before the offer is made: webrtcbin would add its own RTX
    // formats to those that VideoOfferCaps lists. Video only: audio would come too late.
    g_object_set(video_transceiver_.get(), "do-nack", TRUE, nullptr);
    if (peer_watch_ == nullptr) peer_watch_ = std::make_unique<PeerWatch>(peer().element());
    peer().SetRemoteAnswer(text);
  });
}

void ReceiverSession::RequestKeyframe() {
  Post([this] {
    const auto video = tracks_.find("video");
    if (video != tracks_.end()) video->second.track->RequestKeyframe();
  });
}

void ReceiverSession::PutMetadata(std::string name, std::string value, bool persistent) {
  if (!persistent || !value.empty()) FragmentTags::Check(name, value);
  Post([this, name = std::move(name), value = std::move(value), persistent] {
    if (recorder_ == nullptr) return;
    try {
      recorder_->PutMetadata(name, value, persistent);
    } catch (const MediaError& error) {
      Emit(ErrorEvent{error.kind(), false, error.what(), "", ""});
    }
  });
}

void ReceiverSession::OnStart() {
  RequireElements({"appsink"});
  RequireAudioElements(options_.audio);
  if (options_.kvs_sink) {
    RequireElements({"kvssink", "appsrc"});
    sink_ = std::make_unique<EpochSinks>(*options_.kvs_sink, loop(), events());
  } else {
    sink_ = std::make_unique<PutMediaSink>(events());
  }
  recorder_ = std::make_unique<Recorder>(
      options_.recorder, *sink_,
      Recorder::Handlers{
          [this](bool fir) {
            const auto video = tracks_.find("video");
            if (video != tracks_.end()) video->second.track->RequestKeyframe(fir);
          },
          [this](unsigned frames, const char* reason) { dropped_[reason] += frames; },
          [this](const GapEvent& gap) { Emit(gap); },
          [this](std::int64_t waited_ms) {
            Emit(KeyframeOverdueEvent{static_cast<unsigned>(waited_ms)});
          },
          [this] {
            Fail(MediaError(ErrorKind::kNoKeyframe,
                            "the master sends video, but no keyframe for " +
                                std::to_string(options_.recorder.keyframes.timeout_ms / 1'000) +
                                " s, although asked for"));
          }});
  rtp_tap_ = std::make_unique<RtpTap>(peer().element());
  AddTransceivers();
  gst_element_set_state(GST_ELEMENT_CAST(pipeline()), GST_STATE_PLAYING);
  clock_ = std::make_unique<MediaClock>(GST_ELEMENT_CAST(pipeline()));
  peer().Offer();
}

void ReceiverSession::AddTransceivers() {
  const auto add = [this](const CapsPtr& caps) {
    GstWebRTCRTPTransceiver* raw_transceiver = nullptr;
    g_signal_emit_by_name(peer().element(), "add-transceiver",
                          GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps.get(),
                          &raw_transceiver);
    return ObjectPtr<GstWebRTCRTPTransceiver>::Adopt(raw_transceiver);
  };
  const auto codecs = UsableSourceCodecs(options_.video_codecs, [this](const MediaError& error) {
    Emit(ErrorEvent{error.kind(), false, error.what(), error.element(), error.debug()});
  });
  video_transceiver_ = add(VideoOfferCaps(codecs));
  if (options_.audio != AudioMode::kNone) add(AudioOfferCaps());
}

void ReceiverSession::OnPad(PadPtr pad, gulong block_probe) {
  if (state() == State::kStopping) return;  // blocked until the pipeline is gone
  try {
    const auto [kind, codec, ssrc] = ReadPadMedia(pad.get());
    RemoveTrack(kind);  // a new SSRC replaces the track it belonged to
    if (peer_watch_ != nullptr && ssrc) peer_watch_->OnTrack(kind, *ssrc);
    const unsigned id = next_track_id_++;
    rtp_tap_->Attach(pad.get());
    auto track = Track::Create(pipeline(), pad.get(), options_.audio, HandlersFor(kind, id));
    Emit(TrackEvent{kind, track->codec(), track->stored_as(), track->transcoded()});
    if (kind == "audio") recorder_->ExpectAudio(StoredAudioFormat(track->stored_as()));
    tracks_[kind] = {id, std::move(track)};
    flowing_.insert(id);
  } catch (const MediaError& error) {
    DropMedia(pad.get());
    Emit(ErrorEvent{error.kind(), false, error.what(), error.element(), error.debug()});
  }
  gst_pad_remove_probe(pad.get(), block_probe);
}

TrackHandlers ReceiverSession::HandlersFor(const std::string& kind, unsigned id) {
  TrackHandlers handlers;
  handlers.on_sample = [inbox = inbox_, kind, id](TrackSample sample) {
    // The next delivery is soon enough: a wake-up for each frame costs more than the frame.
    inbox.Leave({kind, id, std::move(sample), 0, nullptr, 0});
  };
  handlers.on_eos = [inbox = inbox_, kind, id] { inbox.Push({kind, id, {}, 0, nullptr, 0}); };
  handlers.on_lost = [inbox = inbox_, kind, id](unsigned packets) {
    inbox.Push({kind, id, {}, 0, nullptr, packets});
  };
  handlers.on_loss = [this] {
    Post([this] {
      const auto video = tracks_.find("video");
      if (video != tracks_.end()) video->second.track->RequestSenderKeyframe();
    });
  };
  handlers.on_dropped = [inbox = inbox_, kind, id](unsigned frames, const char* reason) {
    inbox.Push({kind, id, {}, frames, reason, 0});
  };
  return handlers;
}

void ReceiverSession::RemoveTrack(const std::string& kind) {
  const auto old = tracks_.find(kind);
  if (old == tracks_.end()) return;
  flowing_.erase(old->second.id);
  tracks_.erase(old);
}

void ReceiverSession::OnConnected() {
  // The answer tells whether audio will come: declared from the first epoch, it needs no second.
  // Which of the G.711 codecs it would be shows with the track only.
  recorder_->ExpectVideo(PeerSends(peer().element(), "video"));
  const bool aac = options_.audio == AudioMode::kAac && PeerSends(peer().element(), "audio");
  if (aac) recorder_->ExpectAudio(AacFormat());
  if (peer_watch_ == nullptr) return;
  peer_watch_->Begin(options_.patience, [this] {
    const auto video = tracks_.find("video");
    if (video != tracks_.end()) video->second.track->RequestSenderKeyframe();
  });
}

void ReceiverSession::Deliver(const std::vector<Delivery>& deliveries) {
  if (state() == State::kClosed) return;
  for (const auto& delivery : deliveries) {
    if (delivery.lost_packets != 0) {
      recorder_->OnLost(delivery.lost_packets);
      continue;
    }
    if (delivery.kind == "video" && peer_watch_ != nullptr) peer_watch_->OnFrame();
    if (delivery.dropped_frames != 0) {
      recorder_->OnDropped(delivery.dropped_frames, delivery.drop_reason,
                           MediaClock::MonotonicNs());
    } else if (!delivery.sample.sample) {
      OnTrackEnd(delivery.track_id);
    } else if (delivery.kind == "video") {
      DeliverVideo(delivery.sample);
    } else {
      DeliverAudio(delivery.sample);
    }
  }
}

void ReceiverSession::DeliverVideo(const TrackSample& sample) {
  GstCaps* caps = gst_sample_get_caps(sample.sample.get());
  if (caps != nullptr && caps != video_caps_.get()) {
    video_caps_ = CapsPtr::Share(caps);
    const auto format = ReadVideoFormat(caps);
    if (format && (video_format_ == nullptr || *video_format_ != *format)) {
      video_format_ = std::make_shared<const VideoFormat>(*format);
    }
  }
  GstBuffer* buffer = gst_sample_get_buffer(sample.sample.get());
  VideoFrame frame;
  frame.pts_ns = clock_->ToUnixNs(sample.running_time);
  if (video_format_ != nullptr) {
    // Not by the buffer's flags: h264parse calls every intra-coded picture a keyframe.
    const MappedBuffer mapped(buffer);
    const PictureTraits traits = InspectPicture(*video_format_, mapped.data(), mapped.size());
    frame.keyframe = traits.keyframe;
    frame.leading = traits.leading;
  }
  frame.format = video_format_;
  frame.data = BufferPtr::Share(buffer);
  recorder_->OnVideo(std::move(frame), MediaClock::MonotonicNs());
}

void ReceiverSession::DeliverAudio(const TrackSample& sample) {
  AudioFrame frame = ReadAudioFrame(sample.sample.get());
  frame.pts_ns += clock_->ToUnixNs(sample.running_time);
  recorder_->OnAudio(std::move(frame), MediaClock::MonotonicNs());
}

void ReceiverSession::OnDrain() {
  peer_watch_.reset();
  for (const auto& [kind, active] : tracks_) active.track->Drain();
  if (flowing_.empty()) FinishRecording();
}

void ReceiverSession::OnTrackEnd(unsigned track_id) {
  if (flowing_.erase(track_id) == 0) return;
  if (state() == State::kStopping && flowing_.empty()) FinishRecording();
}

void ReceiverSession::FinishRecording() {
  if (recorder_ == nullptr) {  // it failed to start
    FinishDrain();
    return;
  }
  recorder_->Finish();
  sink_->Drain([this] { FinishDrain(); });
}

void ReceiverSession::OnClosing() {
  // Whatever waits still belongs into the recording, which ends here and not with its tracks.
  flowing_.clear();
  inbox_.Drain();
  peer_watch_.reset();
  if (recorder_ != nullptr) {
    recorder_->Finish();
    ReportDrops();
    EmitStats();
  }
}

void ReceiverSession::OnClosed() {
  tracks_.clear();
  video_transceiver_.reset();
}

void ReceiverSession::OnTick() {
  ++ticks_;
  if (ticks_ % kTicksPerDelivery == 0) {
    inbox_.Drain();
    recorder_->Tick(MediaClock::MonotonicNs());
  }
  CheckPeer();
  if (ticks_ % kTicksPerStats != 0) return;
  ReportDrops();
  EmitStats();
}

void ReceiverSession::CheckPeer() {
  if (state() == State::kLive && peer_watch_ != nullptr) {
    if (const auto error = peer_watch_->Tick()) Fail(*error);
  }
  if (state() != State::kStarting || !peer().has_remote()) return;
  if (++ticks_since_answer_ * kMsPerTick < options_.patience.connect_ms) return;
  Fail(MediaError(ErrorKind::kPeerLost,
                  "the master answered, but no connection came about in " +
                      std::to_string(options_.patience.connect_ms) + " ms",
                  "webrtc"));
}

void ReceiverSession::ReportDrops() {
  for (const auto& [reason, frames] : std::exchange(dropped_, {})) {
    Emit(FramesDroppedEvent{frames, reason});
  }
}

void ReceiverSession::EmitStats() {
  if (peer_watch_ != nullptr) transport_ = peer_watch_->Stats();
  Emit(StatsEvent{recorder_->stats(), transport_});
}

}  // namespace kvsbridge
