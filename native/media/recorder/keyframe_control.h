// When to ask the sender for a keyframe, how, and when to give up.
#pragma once

#include <cstdint>
#include <optional>

namespace kvsbridge {

/// Wall-clock durations of keyframe requests.
struct KeyframeOptions {
  /// How long a request may stay unanswered before it is repeated.
  std::int64_t retry_ms = 1'000;
  /// How long requests may stay unanswered before that is reported.
  std::int64_t alarm_ms = 5'000;
  /// How long requests may stay unanswered before the session ends.
  std::int64_t timeout_ms = 30'000;
};

/// Asks while frames arrive and a keyframe is needed: PLI twice (RFC 4585), then FIR (RFC 5104) and
/// PLI in turn, since some senders answer only one of them. Pure: time is handed in.
class KeyframeControl {
 public:
  enum class Request { kNone, kPli, kFir };

  struct Decision {
    Request request = Request::kNone;
    /// Set when it is time to report that requests stay unanswered: for how long by now.
    std::optional<std::int64_t> overdue_ms;
    bool give_up = false;  ///< no keyframe within the timeout; told once
  };

  explicit KeyframeControl(const KeyframeOptions& options)
      : options_(options), alarm_pause_ms_(options.alarm_ms) {}

  /// A keyframe arrived: whatever was asked is answered.
  void OnKeyframe(std::int64_t now_ns);

  /// Another frame arrived. @param needed a keyframe has to come @param now_ns monotonic
  Decision OnFrame(bool needed, std::int64_t now_ns);

 private:
  const KeyframeOptions options_;
  std::int64_t alarm_pause_ms_;        ///< least time from one report to the next; grows
  std::int64_t waiting_since_ns_ = 0;  ///< first request; 0: none is unanswered
  std::int64_t asked_at_ns_ = 0;
  std::int64_t last_frame_ns_ = 0;
  std::int64_t alarmed_at_ns_ = 0;  ///< 0: never
  unsigned requests_ = 0;           ///< unanswered
  bool gave_up_ = false;
};

}  // namespace kvsbridge
