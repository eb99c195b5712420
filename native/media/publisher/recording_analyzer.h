// Measures a finished recording of the test picture and tone.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace kvsbridge {

/// What was found in a recording. Times come from the file's own timestamps, pictures and sound
/// from decoding it.
struct RecordingAnalysis {
  std::uint64_t video_frames = 0;
  /// Burned-in counters of the first and the last frame.
  std::uint32_t first_counter = 0;
  std::uint32_t last_counter = 0;
  /// Counters between the first and the last that no frame shows.
  std::uint64_t missing_counters = 0;
  /// Frames whose counter is not above the one before.
  std::uint64_t repeated_counters = 0;
  /// Largest distance between the timestamps of consecutive frames; 0 with fewer than two.
  double max_video_gap_ms = 0;
  /// First frame to last.
  double video_duration_ms = 0;
  /// Decoded audio.
  double audio_duration_ms = 0;
  /// Flashes that had a tick within half a second.
  std::uint64_t av_pairs = 0;
  /// Median over the pairs of tick minus flash: above zero, the sound is late. Empty without pairs.
  std::optional<double> av_skew_ms;
  /// The pair furthest apart, with its sign.
  std::optional<double> av_skew_worst_ms;
};

/// Decodes the Matroska file at `path` as fast as it goes and blocks until done. Any thread but a
/// session's loop; uses no main context.
/// @param stall_limit gives up when nothing was decoded for this long
/// @throws MediaError when the file cannot be read or decoded, or a decoder is not installed
RecordingAnalysis AnalyzeRecording(const std::string& path, std::chrono::milliseconds stall_limit);

}  // namespace kvsbridge
