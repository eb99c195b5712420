// Answers one viewer with the test picture and tone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "glib/loop_thread.h"
#include "media/publisher/offer_reader.h"
#include "media/publisher/sender_faults.h"
#include "media/publisher/test_format.h"
#include "media/session/session.h"

namespace kvsbridge {

/// Settings of a publisher.
struct PublisherOptions {
  PeerOptions peer;
  TestSourceOptions source;
  /// The viewer's offer.
  std::string offer;
};

/// The answering master's side of one viewer. The source runs from the start, but its gates open
/// when the connection stands: the first frame that a viewer sees is a keyframe with counter 0.
class PublisherSession final : public Session {
 public:
  PublisherSession(PublisherOptions options, std::shared_ptr<EventSink> events);
  ~PublisherSession() override;

  // Live control. Any thread, also before the connection stands; without effect on what is not
  // sent at all.

  /// Sends RTP of this kind or not a packet, as a browser's `replaceTrack(null)`.
  void SetSending(bool video, bool audio);
  /// Sends silence in place of the tone, as a browser's `track.enabled = false`.
  void SetMuted(bool muted);
  /// Restarts the encoder with a picture of this size: on the same SSRC, new parameter sets at a
  /// keyframe. Swapping width and height turns the picture as a phone does.
  void SetSize(unsigned width, unsigned height);
  /// Goes on with another SSRC, sequence and timestamp base, from a keyframe.
  void ChangeVideoSsrc();

 private:
  void OnStart() override;
  void OnPad(PadPtr pad, gulong block_probe) override;
  void OnConnected() override;
  void OnDrain() override;
  void OnClosing() override;
  void OnClosed() override;
  void OnTick() override;

  void AddVideo(const OfferedFormats& formats);
  void AddAudio(const OfferedFormats& formats);
  void WarnNotOffered(const char* encoding_name);
  void AddSource(const ElementPtr& source);
  void UpdateGates();
  /// Lets out what waits behind a gate that is closed; `OnFlushed` when the last packet is sent.
  void Flush(const PadPtr& gate, const PadPtr& packets);
  void OnFlushed();
  void EmitStats();

  const PublisherOptions options_;
  ElementPtr video_;
  ElementPtr audio_;
  KeyframeGate keyframes_;
  std::optional<RtpRewriter> video_packets_;
  std::optional<RtpRewriter> audio_packets_;
  LoopTimer drain_;
  /// Counted on the streaming thread.
  std::shared_ptr<Guarded<std::uint64_t>> frames_sent_ =
      std::make_shared<Guarded<std::uint64_t>>(0);
  unsigned ticks_ = 0;
  /// Sources that still send what they held when the drain began.
  unsigned unflushed_ = 0;
  bool connected_ = false;
  bool draining_ = false;
  bool send_video_ = true;
  bool send_audio_ = true;
};

}  // namespace kvsbridge
