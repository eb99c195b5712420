#include "media/timeline/sender_clock.h"

#include <algorithm>

namespace kvsbridge {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerMs = 1'000'000;

/// Timestamps fall back this far only by a step: B-frames are shown less than this after what they
/// refer to.
constexpr std::int64_t kBackwardStepNs = 500 * kNsPerMs;
/// Packets come this much before all others only by a step, once the estimate has settled.
constexpr std::int64_t kForwardStepNs = 250 * kNsPerMs;
constexpr std::int64_t kSettledAfterNs = 3 * kNsPerSecond;
/// So many packets in a row must agree. Three packets are on their way out only after the jitter
/// buffer, so a step is known before what it concerns is asked for.
constexpr unsigned kStepPackets = 3;
/// Late by this much for this long is no congestion.
constexpr std::int64_t kPauseNs = 500 * kNsPerMs;
constexpr std::int64_t kPauseConfirmedNs = 3 * kNsPerSecond;
constexpr std::size_t kMaxSegments = 4;

}  // namespace

std::int64_t NtpToNs(std::uint64_t ntp) {
  // Around zero, so that sums and differences of any two fit.
  const std::int64_t seconds = static_cast<std::int64_t>(ntp >> 32) - 0x80000000;
  const auto fraction = static_cast<std::int64_t>(ntp & 0xffffffffU);
  return seconds * kNsPerSecond + ((fraction * kNsPerSecond) >> 32);
}

SenderClock::SenderClock(unsigned clock_rate_hz)
    : clock_rate_hz_(std::clamp(clock_rate_hz, 1'000U, 1'000'000U)) {}

std::int64_t SenderClock::ExtendSequence(std::uint16_t sequence) const {
  const auto forward = static_cast<std::int16_t>(
      static_cast<std::uint16_t>(sequence - static_cast<std::uint16_t>(last_sequence_)));
  return last_sequence_ + forward;
}

std::int64_t SenderClock::Extend(const Segment& segment, std::uint32_t timestamp) {
  const auto forward = static_cast<std::int32_t>(
      timestamp - static_cast<std::uint32_t>(static_cast<std::uint64_t>(segment.last_timestamp)));
  return segment.last_timestamp + forward;
}

std::int64_t SenderClock::ToNs(const Segment& segment, std::int64_t timestamp) const {
  // In two parts: a day at 90 kHz times 1e9 would overflow.
  const std::int64_t seconds = timestamp / clock_rate_hz_;
  const std::int64_t rest = timestamp % clock_rate_hz_;
  return seconds * kNsPerSecond + rest * kNsPerSecond / clock_rate_hz_ + segment.shift_ns;
}

void SenderClock::OnArrival(std::uint16_t sequence, std::uint32_t timestamp,
                            std::int64_t arrival_ns) {
  if (segments_.empty()) {
    last_sequence_ = sequence;
    first_arrival_ns_ = arrival_ns;
    segments_.push_back({sequence, timestamp, 0});
  } else if (arrival_ns - last_arrival_ns_ > kWindowNs) {
    // After so long a pause neither clock's drift is known any more, nor how often it wrapped.
    BeginSegment(ExtendSequence(sequence), timestamp,
                 newest_media_ns_.value_or(0) + arrival_ns - last_arrival_ns_);
    Restart();
  }
  last_arrival_ns_ = std::max(last_arrival_ns_, arrival_ns);
  const std::int64_t extended_sequence = ExtendSequence(sequence);
  last_sequence_ = std::max(last_sequence_, extended_sequence);

  Segment& segment = segments_.back();
  if (extended_sequence < segment.first_sequence) return;  // a late one from before a step
  const std::int64_t extended = Extend(segment, timestamp);
  const std::int64_t media_ns = ToNs(segment, extended);
  const std::int64_t offset_ns = arrival_ns - media_ns;
  if (LooksLikeStep(media_ns, offset_ns)) {
    if (Suspect(extended_sequence, offset_ns)) AbsorbStep(timestamp);
    return;
  }
  step_ = {};
  if (!newest_media_ns_ || media_ns > *newest_media_ns_) {
    newest_media_ns_ = media_ns;
    segment.last_timestamp = extended;
  }
  WatchForPause(offset_ns, arrival_ns);
  offsets_.Add(last_arrival_ns_, offset_ns);
}

bool SenderClock::LooksLikeStep(std::int64_t media_ns, std::int64_t offset_ns) const {
  const auto floor_ns = offsets_.Get();
  if (!floor_ns || !newest_media_ns_) return false;
  const bool settled = last_arrival_ns_ - first_arrival_ns_ > kSettledAfterNs;
  return media_ns < *newest_media_ns_ - kBackwardStepNs ||
         offset_ns < *floor_ns - (settled ? kForwardStepNs : kBackwardStepNs);
}

bool SenderClock::Suspect(std::int64_t sequence, std::int64_t offset_ns) {
  if (step_.packets == 0) step_ = {0, sequence, offset_ns};
  step_.first_sequence = std::min(step_.first_sequence, sequence);
  step_.min_offset_ns = std::min(step_.min_offset_ns, offset_ns);
  return ++step_.packets >= kStepPackets;
}

void SenderClock::AbsorbStep(std::uint32_t timestamp) {
  // Media time goes on as if these packets had come undelayed; the sender's next report corrects
  // that to the millisecond.
  const Segment& before = segments_.back();
  const std::int64_t media_ns = ToNs(before, Extend(before, timestamp));
  BeginSegment(step_.first_sequence, timestamp, media_ns + step_.min_offset_ns - *offsets_.Get());
  newest_media_ns_ = ToNs(segments_.back(), segments_.back().last_timestamp);
  step_ = {};
  late_since_ns_.reset();
}

void SenderClock::BeginSegment(std::int64_t first_sequence, std::uint32_t timestamp,
                               std::int64_t media_ns) {
  // Counts from the bare timestamp: no number of steps adds up to an overflow.
  Segment segment{first_sequence, timestamp, 0};
  segment.shift_ns = media_ns - ToNs(segment, timestamp);
  segments_.push_back(segment);
  if (segments_.size() > kMaxSegments) segments_.pop_front();
}

void SenderClock::WatchForPause(std::int64_t offset_ns, std::int64_t arrival_ns) {
  const auto floor_ns = offsets_.Get();
  if (!floor_ns || offset_ns - *floor_ns < kPauseNs) {
    late_since_ns_.reset();
    return;
  }
  if (!late_since_ns_) {
    late_since_ns_ = arrival_ns;
    late_min_offset_ns_ = offset_ns;
  }
  late_min_offset_ns_ = std::min(late_min_offset_ns_, offset_ns);
  if (arrival_ns - *late_since_ns_ < kPauseConfirmedNs) return;
  const std::int64_t offset = late_min_offset_ns_;
  Restart();
  offsets_.Add(last_arrival_ns_, offset);
}

void SenderClock::Restart() {
  offsets_.Clear();
  newest_media_ns_.reset();
  late_since_ns_.reset();
  step_ = {};
  ++restarts_;
}

std::optional<std::int64_t> SenderClock::MediaNs(std::uint16_t sequence,
                                                 std::uint32_t timestamp) const {
  if (segments_.empty()) return std::nullopt;
  const std::int64_t extended = ExtendSequence(sequence);
  const auto newest_first = std::find_if(
      segments_.rbegin(), segments_.rend(),
      [extended](const Segment& segment) { return segment.first_sequence <= extended; });
  const Segment& segment = newest_first == segments_.rend() ? segments_.front() : *newest_first;
  return ToNs(segment, Extend(segment, timestamp));
}

std::optional<std::int64_t> SenderClock::ReportMediaNs(std::uint32_t timestamp) const {
  if (segments_.empty()) return std::nullopt;
  return ToNs(segments_.back(), Extend(segments_.back(), timestamp));
}

}  // namespace kvsbridge
