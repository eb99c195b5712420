// Notices holes in what is stored, and why they came about.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "media/events.h"

namespace kvsbridge {

/// Follows the end of stored media from frame to frame. A hole is larger than three frames and
/// 200 ms, or has dropped frames in it. Its reason is what explains most of it: a dropped frame
/// explains the time of one frame, and the rest is silence of the source, or the time of packets
/// that were lost. Pure.
class GapKeeper {
 public:
  /// The peer agreed to send video: without it there is a hole, whatever sound is stored.
  void ExpectVideo(bool expected) { video_expected_ = expected; }
  /// Anything arrived, whether or not it will be stored.
  void OnArrival(std::int64_t pts_ns);
  /// Video frames that arrived will not be stored.
  void OnDropped(unsigned frames, const char* reason);
  /// Packets of video did not arrive.
  void OnLost(unsigned packets) { lost_packets_ += packets; }

  /// A video frame is about to be stored. @param position_ns its place in decode order
  std::optional<GapEvent> OnVideo(std::int64_t position_ns, std::int64_t interval_ns);
  /// Audio is about to be stored without video. @param covered_ns where stored audio ends
  std::optional<GapEvent> OnLoneAudio(std::int64_t covered_ns, std::int64_t pts_ns);
  /// Nothing more will be stored. @param covered_ns where stored audio ends
  std::optional<GapEvent> OnEnd(std::int64_t covered_ns, std::int64_t interval_ns) const;

 private:
  [[nodiscard]] std::optional<GapEvent> Between(std::int64_t from_ns, std::int64_t to_ns,
                                                std::int64_t interval_ns, unsigned dropped) const;
  [[nodiscard]] std::string ReasonFor(std::int64_t hole_ns, std::int64_t interval_ns) const;

  std::int64_t first_arrival_ns_ = 0;
  std::int64_t video_end_ns_ = 0;  ///< 0: none is stored
  bool stored_ = false;            ///< anything at all
  bool video_expected_ = false;

  // Since the last frame stored:
  unsigned dropped_ = 0;
  std::map<std::string, unsigned> dropped_by_reason_;
  std::string newest_reason_;
  unsigned lost_packets_ = 0;
};

}  // namespace kvsbridge
