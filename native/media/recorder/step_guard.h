// Keeps a track's timestamps going forward.
#pragma once

#include <cstdint>

namespace kvsbridge {

/// When a sender's clock jumps back, its frames would all fall before what is stored already. The
/// track goes on right after its newest frame instead, and keeps its own pace from there.
class StepGuard {
 public:
  /// @param pts_ns a frame's timestamp @param step_ns distance to put after a jump
  /// @param now_ns monotonic @returns the timestamp to use
  std::int64_t Apply(std::int64_t pts_ns, std::int64_t step_ns, std::int64_t now_ns) {
    if (newest_ns_ != 0 && pts_ns + shift_ns_ < newest_ns_ - kJumpNs) {
      shift_ns_ = newest_ns_ + step_ns - pts_ns;
    }
    pts_ns += shift_ns_;
    if (pts_ns > newest_ns_) {
      newest_ns_ = pts_ns;
      arrived_ns_ = now_ns;
    }
    return pts_ns;
  }

  /// The newest timestamp; 0 before the first.
  [[nodiscard]] std::int64_t newest_ns() const { return newest_ns_; }
  /// Where the track would be by now, whatever the difference between its clock and ours.
  [[nodiscard]] std::int64_t Now(std::int64_t now_ns) const {
    return newest_ns_ + now_ns - arrived_ns_;
  }

 private:
  /// Further back than B-frames or jitter go.
  static constexpr std::int64_t kJumpNs = 500'000'000;

  std::int64_t newest_ns_ = 0;
  std::int64_t arrived_ns_ = 0;  ///< monotonic; when the newest timestamp came
  std::int64_t shift_ns_ = 0;
};

}  // namespace kvsbridge
