// Decides when a peer that is there sends nothing that can be recorded.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kvsbridge {

/// How far one SSRC of the peer got, as RTCP tells and as we see it.
struct SourceReport {
  std::uint32_t ssrc = 0;
  std::uint32_t packets_sent = 0;  ///< by its newest sender report
  std::uint64_t packets_received = 0;
  /// Up to the highest sequence number seen, lost ones included.
  std::int64_t packets_expected = 0;
  bool left = false;  ///< it said goodbye (RTCP BYE)
};

/// What a peer may do before it is taken for broken, in ms; 0: for ever.
struct MediaPatience {
  /// To be without a connection after its answer; not 0.
  std::int64_t connect_ms = 10'000;
  /// To send no packet at all, from the start.
  std::int64_t first_media_ms = 5'000;
  /// To send no video after a steady flow of it.
  std::int64_t silent_video_ms = 4'000;
};

/// Packets that came from a peer so far.
struct PacketCounts {
  std::uint64_t media = 0;
  std::uint64_t video = 0;  ///< those of them that are video, padding left out
  std::uint32_t video_ssrc = 0;
};

/// Packets, frames and sender reports of a connected peer.
///
/// A steady video that ends cannot be told from a camera that was switched off, unless the peer
/// says goodbye: either way it ends the session, since a fresh one may have it again. Whoever owns
/// the sessions is more patient with a peer that a fresh one did not help. Sound may pause at any
/// time (DTX, a muted microphone): only the peer's own count of what it sends tells a fault.
///
/// Pure: time is handed in, monotonic.
class MediaWatch {
 public:
  /// Packets of video came for this long without completing a frame.
  static constexpr std::int64_t kNoFrameMs = 4'500;
  /// The same, for a keyframe to be asked for, and then again in the last interval.
  static constexpr std::int64_t kAskKeyframeAfterMs = 1'500;
  static constexpr std::int64_t kAskKeyframeIntervalMs = 1'000;
  /// Packets that a sender report counts did not come for this long. Browsers report video every
  /// second, others every source about every five.
  static constexpr std::int64_t kSilentSourceMs = 3'000;
  /// Video without a pause for this long is steady. A camera that takes a picture now and then is
  /// not.
  static constexpr std::int64_t kSteadyMs = 2'000;

  struct Decision {
    bool ask_keyframe = false;
    /// Set when a fresh session is due: what is wrong.
    std::optional<std::string> fault;
  };

  MediaWatch(std::int64_t now_ns, const MediaPatience& patience)
      : patience_(patience), began_ns_(now_ns) {}

  /// A frame of video is complete, whatever becomes of it.
  void OnFrame() { without_frame_since_ns_ = 0; }

  /// Call about ten times a second.
  Decision Tick(std::int64_t now_ns, const PacketCounts& packets);

  /// Call about ten times a second. @return what is wrong
  std::optional<std::string> OnReports(std::int64_t now_ns,
                                       const std::vector<SourceReport>& reports);

 private:
  struct Source {
    SourceReport reported;  ///< when the newest sender report came
    std::uint64_t received = 0;
    std::int64_t received_ns = 0;
    bool is_missed = false;  ///< that report counts packets behind the last one that came
    std::int64_t second_began_ns = 0;
    std::uint64_t second_began_received = 0;
    std::int64_t per_second = 0;  ///< packets, in the last whole second with any
  };

  void OnVideoPackets(std::int64_t now_ns, std::uint64_t fresh);
  [[nodiscard]] std::optional<std::string> FindSilence(std::int64_t now_ns) const;

  const MediaPatience patience_;
  const std::int64_t began_ns_;
  PacketCounts packets_;
  std::int64_t media_packet_ns_ = 0;
  std::int64_t video_packet_ns_ = 0;
  std::int64_t video_flows_since_ns_ = 0;
  bool video_left_ = false;
  std::int64_t without_frame_since_ns_ = 0;  ///< first packet behind the newest frame; 0: none
  std::uint64_t packets_without_frame_ = 0;
  std::int64_t asked_ns_ = 0;
  std::map<std::uint32_t, Source> sources_;
};

}  // namespace kvsbridge
