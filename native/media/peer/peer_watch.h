// Finds out that a connected peer is gone or sends nothing of use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "glib/ptr.h"
#include "media/media_error.h"
#include "media/peer/consent_request.h"
#include "media/peer/ice_transport.h"
#include "media/peer/media_watch.h"
#include "media/peer/peer_silence.h"
#include "media/peer/rtp_sources.h"
#include "media/transport_stats.h"

namespace kvsbridge {

/// webrtcbin of GStreamer 1.22 to 1.26 reports neither DTLS's close_notify nor, before 30 s have
/// passed, a peer that vanished. This looks at the packets of its ICE transports and at its DTLS.
///
/// Lives on the loop thread; probes on streaming threads count into what they share with it.
class PeerWatch {
 public:
  /// Begins to look at the sockets. @param webrtc with its local description set; borrowed, must
  /// outlive this
  explicit PeerWatch(GstElement* webrtc);
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;
  ~PeerWatch();

  /// The peer is connected: from now on something must come.
  /// @param ask_keyframe called when packets come that make no frame
  void Begin(MediaPatience patience, std::function<void()> ask_keyframe);

  /// A frame of video is complete, whatever becomes of it.
  void OnFrame() {
    if (media_) media_->OnFrame();
  }

  /// Call about ten times a second. @return why the session should end (kPeerLost, kNoMedia);
  /// nothing before
  ///   Begin
  std::optional<MediaError> Tick();

  /// A track is carried by this RTP stream from now on.
  void OnTrack(const std::string& kind, std::uint32_t ssrc) { sums_.Follow(kind, ssrc); }
  /// As of the last full second.
  [[nodiscard]] TransportStats Stats() const;

  struct Counts;

 private:
  void ReadDescriptions();
  void CountPackets();
  std::optional<MediaError> CheckDtls() const;
  std::optional<MediaError> CheckSilence(std::int64_t now_ns);
  std::optional<MediaError> CheckMedia(std::int64_t now_ns);
  void AskForConsent();
  void AskForRoundTrip();
  std::optional<std::string> ReadSources(std::int64_t now_ns);

  GstElement* const webrtc_;
  std::function<void()> ask_keyframe_;
  const std::shared_ptr<Counts> counts_;
  ConsentCredentials credentials_;
  std::vector<IceTransport> transports_;
  std::vector<std::pair<PadPtr, gulong>> probes_;
  std::vector<ElementPtr> dtls_decoders_;
  ObjectPtr<GObject> rtp_session_;
  RtpTrackSums sums_;
  std::optional<PeerSilence> silence_;
  std::optional<MediaWatch> media_;
  std::uint64_t packets_ = 0;
  bool arrivals_are_seen_ = false;
  unsigned ticks_ = 0;
};

}  // namespace kvsbridge
