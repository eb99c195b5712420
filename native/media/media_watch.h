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
};

/// Packets, frames and sender reports of a connected peer. A track that pauses (camera off, muted)
/// sends no packets and counts none in its reports: that is no fault, for however long.
/// Pure: time is handed in, monotonic.
class MediaWatch {
 public:
  /// Packets of video came for this long without completing a frame.
  static constexpr std::int64_t kNoFrameMs = 4'500;
  /// The same, for a keyframe to be asked for, and then again in the last interval.
  static constexpr std::int64_t kAskKeyframeAfterMs = 1'500;
  static constexpr std::int64_t kAskKeyframeIntervalMs = 1'000;
  /// Packets of an SSRC whose sender reports go on counting did not come for this long; found with
  /// the second report, which browsers send every second, others every five.
  static constexpr std::int64_t kSilentSourceMs = 3'000;

  struct Decision {
    bool ask_keyframe = false;
    /// Set when a fresh session is due: what is wrong.
    std::optional<std::string> fault;
  };

  /// @param first_media_ms how long the peer may send no packet at all; 0: for ever
  MediaWatch(std::int64_t now_ns, std::int64_t first_media_ms)
      : first_media_ms_(first_media_ms), began_ns_(now_ns) {}

  /// A frame of video is complete, whatever becomes of it.
  void OnFrame() { without_frame_since_ns_ = 0; }

  /// Call about ten times a second.
  /// @param media_packets all that came so far @param video_packets those of them that are video
  Decision Tick(std::int64_t now_ns, std::uint64_t media_packets, std::uint64_t video_packets);

  /// Call about once a second. @return what is wrong
  std::optional<std::string> OnReports(std::int64_t now_ns,
                                       const std::vector<SourceReport>& reports);

 private:
  struct Source {
    SourceReport reported;  ///< when the newest sender report came
    std::uint64_t received = 0;
    std::int64_t received_ns = 0;
    bool was_silent = false;  ///< already when the newest sender report came
  };

  const std::int64_t first_media_ms_;
  const std::int64_t began_ns_;
  std::uint64_t video_packets_ = 0;
  std::int64_t video_packet_ns_ = 0;
  std::int64_t without_frame_since_ns_ = 0;  ///< first packet behind the newest frame; 0: none
  std::uint64_t packets_without_frame_ = 0;
  std::int64_t asked_ns_ = 0;
  std::map<std::uint32_t, Source> sources_;
};

}  // namespace kvsbridge
