// What a recorder counts.
#pragma once

#include <cstdint>

namespace kvsbridge {

/// Counters of a recorder, since it was made.
struct RecorderStats {
  std::uint64_t video_frames_received = 0;
  std::uint64_t audio_frames_received = 0;
  std::uint64_t video_bytes_received = 0;
  std::uint64_t video_frames_written = 0;
  std::uint64_t video_frames_dropped = 0;
  std::uint64_t keyframe_requests = 0;
  /// Producer timestamps of the newest frames received, Unix epoch ms; 0 before the first.
  std::int64_t newest_video_ms = 0;
  std::int64_t newest_audio_ms = 0;
};

}  // namespace kvsbridge
