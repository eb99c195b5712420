// The audio side of the recorder: what waits to be written, and the silence between it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "media/frame.h"

namespace kvsbridge {

/// Hands out audio in order and without holes: where a whole frame is missing, silence stands for
/// it, and sound that comes later than its silence is discarded. Pure: time is handed in.
class AudioLane {
 public:
  struct Waiting {
    AudioFrame frame;
    std::int64_t arrived_ns = 0;  ///< monotonic
  };

  void Push(AudioFrame frame, std::int64_t now_ns) { queue_.push_back({std::move(frame), now_ns}); }

  /// From here on frames of this format are handed out, none of them before `start_ns`.
  void Begin(std::shared_ptr<const AudioFormat> format, std::int64_t start_ns);

  /// The next frame that begins before `limit_ns`, real or silent.
  /// @param fill silence may also stand where nothing waits behind it
  std::optional<AudioFrame> Take(std::int64_t limit_ns, bool fill);

  /// Forgets the oldest frames until those that wait last no longer than `duration_ns`.
  void Bound(std::int64_t duration_ns);

  /// The oldest frame that may still be handed out, or null.
  [[nodiscard]] const Waiting* front() const { return queue_.empty() ? nullptr : &queue_.front(); }
  /// Where what was handed out ends.
  [[nodiscard]] std::int64_t covered_ns() const { return covered_ns_; }
  /// Where the newest frame that waits ends, or what was handed out if none does.
  [[nodiscard]] std::int64_t end_ns() const;
  /// Where the newest real frame handed out ends; 0 before the first.
  [[nodiscard]] std::int64_t heard_ns() const { return heard_ns_; }

 private:
  void DiscardLate();
  AudioFrame TakeSilence();

  std::deque<Waiting> queue_;
  std::shared_ptr<const AudioFormat> format_;
  std::int64_t covered_ns_ = 0;
  std::int64_t heard_ns_ = 0;
};

}  // namespace kvsbridge
