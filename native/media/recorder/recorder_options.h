// What rules the recorder.
#pragma once

#include <cstdint>

#include "media/recorder/keyframe_control.h"

namespace kvsbridge {

/// Durations that rule fragments. All media time unless said otherwise.
struct RecorderOptions {
  /// From here on a keyframe is asked for, so that the next fragment can begin.
  std::int64_t target_fragment_ms = 2'000;
  /// A keyframe earlier than this stays inside the fragment (service limit: 1 s).
  std::int64_t min_fragment_ms = 1'000;
  /// A fragment without a following keyframe is cut here (service limit: 20 s).
  std::int64_t max_fragment_ms = 19'000;
  /// How long one track waits for the other before it goes on alone; wall time. Must cover the
  /// jitter buffer, which holds a track back that lost a packet, and the audio encoder.
  std::int64_t interleave_hold_ms = 250;
  /// How long audio waits for video that it should share a fragment with; wall time. Longer: video
  /// that comes after its audio was written would have to be moved.
  std::int64_t audio_hold_ms = 1'000;
  /// Video that cannot be stored for this long leaves an epoch of audio only; wall time.
  std::int64_t track_timeout_ms = 3'000;
  /// Where the stream's media ended before this session, Unix epoch ms; 0 when there is none.
  std::int64_t resumes_after_ms = 0;
  KeyframeOptions keyframes;
};

}  // namespace kvsbridge
