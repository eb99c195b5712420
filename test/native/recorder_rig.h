// A recorder between synthetic frames and a recording sink, on a clock that the test moves.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "media/recorder/recorder.h"
#include "recording_sink.h"

namespace kvsbridge::testing {

/// A codec configuration that differs from others by its size.
std::shared_ptr<const VideoFormat> MakeFormat(unsigned width, unsigned height);

/// Frames and clock count milliseconds from the rig's own zero; `kZeroMs` lies before it on the
/// Unix time line, so that the sink sees realistic timecodes.
class RecorderRig {
 public:
  static constexpr std::int64_t kZeroMs = 1'700'000'000'000;

  explicit RecorderRig(const RecorderOptions& options = {});

  /// A video frame with this timestamp arrives now. Returns its id.
  std::uint32_t Video(std::int64_t pts_ms, bool keyframe = false);
  std::uint32_t Keyframe(std::int64_t pts_ms) { return Video(pts_ms, true); }
  /// An audio frame with this timestamp arrives now.
  void Audio(double pts_ms);
  void Tick();

  /// Frames of both tracks, in time, from `from_ms` to before `to_ms`; the clock follows them.
  void Stream(std::int64_t from_ms, std::int64_t to_ms, bool with_audio);

  [[nodiscard]] Recorder& recorder() { return recorder_; }
  [[nodiscard]] RecordingSink& sink() { return sink_; }
  [[nodiscard]] const std::vector<WrittenFragment>& fragments() const { return sink_.fragments(); }
  /// Monotonic time has another zero than wall time.
  [[nodiscard]] std::int64_t MonotonicNs() const { return (now_ms + 1'000'000) * kNsPerMs; }
  /// A fragment's timecode on the rig's clock.
  [[nodiscard]] std::int64_t StartOf(std::size_t fragment) const {
    return sink_.fragments().at(fragment).timecode_ms - kZeroMs;
  }

  std::int64_t now_ms = 0;  ///< the clock
  std::shared_ptr<const VideoFormat> format = MakeFormat(1280, 720);
  std::shared_ptr<const AudioFormat> audio_format = AacFormat();
  std::vector<std::int64_t> keyframe_requests_ms;  ///< PLI and FIR
  std::vector<std::int64_t> fir_requests_ms;
  std::vector<std::int64_t> overdue_ms;
  std::vector<std::int64_t> no_keyframe_at_ms;
  std::vector<GapEvent> gaps;
  std::map<std::string, unsigned> dropped;

 private:
  RecordingSink sink_;
  Recorder recorder_;
  std::uint32_t next_id_ = 0;
};

}  // namespace kvsbridge::testing
