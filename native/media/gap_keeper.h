// Notices holes in what is stored, and why they came about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "media/events.h"

namespace kvsbridge {

/// Follows the end of stored media from frame to frame. A hole is larger than three frames and
/// 200 ms, or has dropped frames in it. Its reason is the first thing that kept a frame from being
/// stored. Pure.
class GapKeeper {
 public:
  /// Anything arrived, whether or not it will be stored.
  void OnArrival(std::int64_t pts_ns);
  /// Video frames that arrived will not be stored.
  void OnDropped(unsigned frames, const char* reason);

  /// A video frame is about to be stored. @param position_ns its place in decode order
  std::optional<GapEvent> OnVideo(std::int64_t position_ns, std::int64_t interval_ns);
  /// Audio is about to be stored without video. @param covered_ns where stored audio ends
  std::optional<GapEvent> OnLoneAudio(std::int64_t covered_ns, std::int64_t pts_ns);

 private:
  [[nodiscard]] std::optional<GapEvent> Between(std::int64_t from_ns, std::int64_t to_ns,
                                                std::int64_t interval_ns, unsigned dropped) const;

  std::int64_t first_arrival_ns_ = 0;
  std::int64_t video_end_ns_ = 0;  ///< 0: none is stored
  bool stored_ = false;            ///< anything at all
  unsigned dropped_ = 0;           ///< since the last frame stored
  std::string reason_;             ///< of the first of these
};

}  // namespace kvsbridge
