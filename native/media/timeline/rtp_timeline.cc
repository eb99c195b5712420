#include "media/timeline/rtp_timeline.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace kvsbridge {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

/// Reports of one stream agree with each other to a few milliseconds; more is a step.
constexpr std::int64_t kNtpStepNs = 200 * kNsPerMs;
/// Streams of one sender differ in how long encoding takes, but not by more.
constexpr std::int64_t kMaxStreamSpreadNs = 500 * kNsPerMs;
/// Behind by more than this: jump, since nothing is gained by being wrong for longer.
constexpr std::int64_t kJumpNs = 500 * kNsPerMs;
/// Corrections decay with this time constant …
constexpr std::int64_t kSlewTimeNs = 1'500 * kNsPerMs;
/// … and never change the pace by more than 1/25, or 1/5 when they are large.
constexpr std::int64_t kSlewDivisor = 25;
constexpr std::int64_t kFastSlewDivisor = 5;
/// Frames whose time is kept, for the packets and B-frames that come behind them.
constexpr std::size_t kMaxKnots = 64;
/// A peer may change its SSRC as often as it likes.
constexpr std::size_t kMaxStreams = 32;
constexpr std::size_t kMaxEras = 8;

}  // namespace

void RtpTimeline::AddStream(std::uint32_t ssrc, const std::string& track, unsigned clock_rate_hz) {
  if (streams_.count(ssrc) != 0) return;
  if (streams_.size() >= kMaxStreams) ForgetOldest();
  streams_.emplace(ssrc, Stream(track, clock_rate_hz));
}

void RtpTimeline::ForgetOldest() {
  streams_.erase(
      std::min_element(streams_.begin(), streams_.end(), [](const auto& one, const auto& other) {
        return one.second.clock.last_arrival_ns() < other.second.clock.last_arrival_ns();
      }));
}

RtpTimeline::Stream* RtpTimeline::Find(std::uint32_t ssrc) {
  const auto found = streams_.find(ssrc);
  return found == streams_.end() ? nullptr : &found->second;
}

void RtpTimeline::OnArrival(std::uint32_t ssrc, std::uint16_t sequence, std::uint32_t timestamp,
                            std::int64_t arrival_ns) {
  Stream* stream = Find(ssrc);
  if (stream == nullptr) return;
  newest_arrival_ns_ = std::max(newest_arrival_ns_, arrival_ns);
  stream->clock.OnArrival(sequence, timestamp, newest_arrival_ns_);
}

std::optional<std::int64_t> RtpTimeline::CommonOffsetNs() const {
  std::optional<std::int64_t> common;
  for (const auto& [ssrc, stream] : streams_) {
    const auto arrival = stream.clock.arrival_offset_ns();
    const bool lives = newest_arrival_ns_ - stream.clock.last_arrival_ns() < SenderClock::kWindowNs;
    if (!arrival || !stream.report_offset_ns || !lives) continue;
    const std::int64_t offset = *arrival - *stream.report_offset_ns;
    common = common ? std::min(*common, offset) : offset;
  }
  return common;
}

void RtpTimeline::OnSenderReport(std::uint32_t ssrc, std::uint64_t ntp, std::uint32_t timestamp) {
  Stream* stream = Find(ssrc);
  // Zero means that the sender has no clock (RFC 3550, section 6.4.1).
  if (stream == nullptr || ntp == 0 || !stream->clock.arrival_offset_ns()) return;
  if (stream->report_offset_ns) {
    Refine(*stream, NtpToNs(ntp), timestamp);
  } else {
    Introduce(*stream, NtpToNs(ntp), timestamp);
  }
}

/// A further report: what it says must follow from the one before, else a clock has stepped.
void RtpTimeline::Refine(Stream& stream, std::int64_t ntp_ns, std::uint32_t timestamp) {
  const std::int64_t known = *stream.report_offset_ns;
  const std::int64_t raw = ntp_ns - *stream.clock.ReportMediaNs(timestamp);
  const std::int64_t era = NearestEra(raw - known);
  if (std::llabs(raw - era - known) <= kNtpStepNs) {
    stream.report_offset_ns = raw - era;
  } else {
    AddEra(raw - known);
  }
}

/// A first report: its arrivals tell roughly which step of the sender's NTP clock it goes with.
void RtpTimeline::Introduce(Stream& stream, std::int64_t ntp_ns, std::uint32_t timestamp) {
  const std::int64_t raw = ntp_ns - *stream.clock.ReportMediaNs(timestamp);
  const std::int64_t arrival = *stream.clock.arrival_offset_ns();
  const auto common = CommonOffsetNs();
  if (!common) {
    if (eras_.empty()) eras_.push_back(0);
    stream.report_offset_ns = raw - eras_.back();
    return;
  }
  const std::int64_t expected = arrival - *common;
  const std::int64_t era = NearestEra(raw - expected);
  if (std::llabs(raw - era - expected) <= kMaxStreamSpreadNs) {
    stream.report_offset_ns = raw - era;
  } else {
    AddEra(raw - expected);
    stream.report_offset_ns = expected;
  }
}

std::int64_t RtpTimeline::NearestEra(std::int64_t shift_ns) const {
  return *std::min_element(eras_.begin(), eras_.end(), [=](std::int64_t one, std::int64_t other) {
    return std::llabs(shift_ns - one) < std::llabs(shift_ns - other);
  });
}

void RtpTimeline::AddEra(std::int64_t shift_ns) {
  eras_.push_back(shift_ns);
  if (eras_.size() > kMaxEras) eras_.pop_front();
}

std::optional<std::int64_t> RtpTimeline::TargetOffsetNs(Stream& stream) const {
  const auto arrival = stream.clock.arrival_offset_ns();
  if (!arrival || !stream.report_offset_ns) return arrival;
  const auto common = CommonOffsetNs();
  if (!common) return arrival;
  const std::int64_t target = *common + *stream.report_offset_ns;
  if (*arrival - target <= kMaxStreamSpreadNs) return target;
  // Its reports and its packets contradict each other: believe the packets until the next report.
  stream.report_offset_ns.reset();
  return arrival;
}

std::optional<std::int64_t> RtpTimeline::Map(std::uint32_t ssrc, std::uint16_t sequence,
                                             std::uint32_t timestamp) {
  Stream* stream = Find(ssrc);
  if (stream == nullptr) return std::nullopt;
  if (stream->restarts_seen != stream->clock.restarts()) stream->report_offset_ns.reset();
  const auto target = TargetOffsetNs(*stream);
  const auto media = stream->clock.MediaNs(sequence, timestamp);
  if (!target || !media) return std::nullopt;

  auto& knots = stream->knots;
  const bool restarted =
      std::exchange(stream->restarts_seen, stream->clock.restarts()) != stream->clock.restarts();
  if (knots.empty() || restarted) {
    knots.clear();
    Anchor(*stream, *media, *target);
  } else if (*media <= knots.back().media_ns) {
    return Interpolate(knots, *media);
  } else {
    Slew(*stream, *media - knots.back().media_ns, *target);
  }
  knots.push_back({*media, *media + stream->applied_offset_ns});
  if (knots.size() > kMaxKnots) knots.pop_front();
  const std::int64_t mapped = knots.back().mapped_ns;
  auto& newest = newest_.try_emplace(stream->track, mapped).first->second;
  newest = std::max(newest, mapped);
  return mapped;
}

void RtpTimeline::Anchor(Stream& stream, std::int64_t media_ns, std::int64_t target_ns) const {
  stream.applied_offset_ns = target_ns;
  const auto newest = newest_.find(stream.track);
  if (newest == newest_.end()) return;
  stream.applied_offset_ns = std::max(target_ns, newest->second + kNsPerMs - media_ns);
}

void RtpTimeline::Slew(Stream& stream, std::int64_t passed_ns, std::int64_t target_ns) {
  const std::int64_t error = target_ns - stream.applied_offset_ns;
  if (error > kJumpNs) {
    stream.applied_offset_ns = target_ns;
    return;
  }
  const std::int64_t limit =
      passed_ns / (std::llabs(error) > kJumpNs ? kFastSlewDivisor : kSlewDivisor);
  const double share = std::min(1.0, static_cast<double>(passed_ns) / kSlewTimeNs);
  const auto wanted = static_cast<std::int64_t>(static_cast<double>(error) * share);
  stream.applied_offset_ns += std::clamp(wanted, -limit, limit);
}

std::int64_t RtpTimeline::Interpolate(const std::deque<Knot>& knots, std::int64_t media_ns) {
  const auto after =
      std::lower_bound(knots.begin(), knots.end(), media_ns,
                       [](const Knot& knot, std::int64_t media) { return knot.media_ns < media; });
  if (after->media_ns == media_ns || after == knots.begin()) {
    return after->mapped_ns - (after->media_ns - media_ns);
  }
  const auto before = std::prev(after);
  const double share = static_cast<double>(media_ns - before->media_ns) /
                       static_cast<double>(after->media_ns - before->media_ns);
  return before->mapped_ns + static_cast<std::int64_t>(
                                 share * static_cast<double>(after->mapped_ns - before->mapped_ns));
}

}  // namespace kvsbridge
