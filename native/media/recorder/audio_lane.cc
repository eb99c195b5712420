#include "media/recorder/audio_lane.h"

#include <algorithm>
#include <utility>

namespace kvsbridge {

void AudioLane::Begin(std::shared_ptr<const AudioFormat> format, std::int64_t start_ns) {
  format_ = std::move(format);
  covered_ns_ = std::max(covered_ns_, start_ns);
  // In whole milliseconds, the unit of timecodes.
  const std::int64_t start_ms = start_ns / kNsPerMs;
  while (!queue_.empty() && queue_.front().frame.pts_ns / kNsPerMs < start_ms) queue_.pop_front();
}

std::optional<AudioFrame> AudioLane::Take(std::int64_t limit_ns, bool fill) {
  DiscardLate();
  const std::int64_t silence_end_ns = covered_ns_ + format_->frame_duration_ns;
  // A hole that no whole frame fits into is jitter of the timestamps, not missing sound.
  const bool hole = queue_.empty() || silence_end_ns <= queue_.front().frame.pts_ns;
  const bool due = !queue_.empty() && queue_.front().frame.pts_ns < limit_ns;
  if (hole && covered_ns_ < limit_ns && (due || fill)) return TakeSilence();
  if (!due) return std::nullopt;
  AudioFrame frame = std::move(queue_.front().frame);
  queue_.pop_front();
  covered_ns_ = std::max(covered_ns_, frame.pts_ns + frame.duration_ns);
  heard_ns_ = covered_ns_;
  return frame;
}

void AudioLane::Bound(std::int64_t duration_ns) {
  while (!queue_.empty() && end_ns() - queue_.front().frame.pts_ns > duration_ns) {
    queue_.pop_front();
  }
}

std::int64_t AudioLane::end_ns() const {
  if (queue_.empty()) return covered_ns_;
  return queue_.back().frame.pts_ns + queue_.back().frame.duration_ns;
}

void AudioLane::DiscardLate() {
  const auto unusable = [this](const AudioFrame& frame) {
    return *frame.format != *format_ || frame.pts_ns + frame.duration_ns / 2 < covered_ns_;
  };
  while (!queue_.empty() && unusable(queue_.front().frame)) queue_.pop_front();
}

AudioFrame AudioLane::TakeSilence() {
  AudioFrame frame{covered_ns_, SilentFrame(*format_), true, format_->frame_duration_ns, format_};
  covered_ns_ += format_->frame_duration_ns;
  return frame;
}

}  // namespace kvsbridge
