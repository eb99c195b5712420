#include "media/recorder/keyframe_control.h"

#include <algorithm>
#include <utility>

namespace kvsbridge {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr unsigned kPlisBeforeFir = 2;
constexpr std::int64_t kLongestAlarmPauseMs = 300'000;
/// Frames this far apart: the source was switched off, and has not refused anything meanwhile.
constexpr std::int64_t kSourcePauseMs = 3'000;

}  // namespace

void KeyframeControl::OnKeyframe(std::int64_t now_ns) {
  const bool prompt =
      waiting_since_ns_ != 0 && now_ns - waiting_since_ns_ < options_.retry_ms * kNsPerMs;
  if (prompt) alarm_pause_ms_ = options_.alarm_ms;
  last_frame_ns_ = now_ns;
  waiting_since_ns_ = 0;
  requests_ = 0;
}

KeyframeControl::Decision KeyframeControl::OnFrame(bool needed, std::int64_t now_ns) {
  Decision decision;
  const bool resumed = now_ns - std::exchange(last_frame_ns_, now_ns) > kSourcePauseMs * kNsPerMs;
  if (resumed) {
    waiting_since_ns_ = 0;
    requests_ = 0;
  }
  if (!needed) return decision;
  if (waiting_since_ns_ == 0) waiting_since_ns_ = now_ns;
  const std::int64_t waited_ms = (now_ns - waiting_since_ns_) / kNsPerMs;
  if (requests_ == 0 || now_ns - asked_at_ns_ >= options_.retry_ms * kNsPerMs) {
    const bool fir = requests_ >= kPlisBeforeFir && requests_ % 2 == 0;
    decision.request = fir ? Request::kFir : Request::kPli;
    asked_at_ns_ = now_ns;
    ++requests_;
  }
  const bool quiet = alarmed_at_ns_ == 0 || now_ns - alarmed_at_ns_ >= alarm_pause_ms_ * kNsPerMs;
  if (waited_ms >= options_.alarm_ms && quiet) {
    decision.overdue_ms = waited_ms;
    if (alarmed_at_ns_ != 0) alarm_pause_ms_ = std::min(2 * alarm_pause_ms_, kLongestAlarmPauseMs);
    alarmed_at_ns_ = now_ns;
  }
  decision.give_up = waited_ms >= options_.timeout_ms && !std::exchange(gave_up_, true);
  return decision;
}

}  // namespace kvsbridge
