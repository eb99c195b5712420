// Reads what a receiver emitted the way a PutMedia endpoint would, and checks all of it.
#pragma once

#include <cstdint>
#include <vector>

#include "media/events.h"

namespace kvsbridge::testing {

struct CheckedFragment {
  std::int64_t timecode_ms = 0;
  unsigned duration_ms = 0;
  unsigned video_frames = 0;
  unsigned audio_frames = 0;
  unsigned silent_audio_frames = 0;
};

struct CheckedEpoch {
  unsigned width = 0;
  unsigned height = 0;
  bool has_audio = false;
  std::vector<std::uint8_t> codec_private;
  std::vector<CheckedFragment> fragments;
};

struct CheckedRecording {
  std::vector<CheckedEpoch> epochs;
  unsigned video_frames = 0;
  std::vector<std::int64_t> video_timecodes_ms;

  [[nodiscard]] unsigned silent_audio_frames() const;
  [[nodiscard]] unsigned audio_frames() const;
};

/// Epochs, fragments and bytes of a session that has closed. Whatever is not well formed fails the
/// running test.
CheckedRecording CheckRecording(const std::vector<Event>& events);

}  // namespace kvsbridge::testing
