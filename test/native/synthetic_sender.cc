#include "synthetic_sender.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace kvsbridge::testing {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
/// 2026, as NTP counts: any date does.
constexpr std::int64_t kNtpStartSeconds = 3'976'000'000;

/// Something that happens at the receiver.
struct Happening {
  enum class Kind { kArrival, kReport, kOutput };

  std::int64_t at_ns = 0;
  Kind kind = Kind::kArrival;
  std::size_t stream = 0;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint64_t ntp = 0;
  std::int64_t captured_ns = 0;
};

std::uint32_t Timestamp(const SyntheticStream& stream, std::int64_t t) {
  const std::int64_t media = stream.media_clock(t);
  const std::int64_t rate = stream.clock_rate_hz;
  const std::int64_t ticks =
      media / kNsPerSecond * rate + media % kNsPerSecond * rate / kNsPerSecond;
  return stream.first_timestamp + static_cast<std::uint32_t>(static_cast<std::uint64_t>(ticks));
}

std::uint64_t Ntp(const SyntheticStream& stream, std::int64_t t) {
  const std::int64_t wall = stream.wall_clock(t);
  const auto seconds = static_cast<std::uint64_t>(kNtpStartSeconds + wall / kNsPerSecond);
  const auto fraction = static_cast<std::uint64_t>(wall % kNsPerSecond);
  return (seconds << 32) + (fraction << 32) / kNsPerSecond;
}

void AddPackets(const SyntheticStream& stream, std::size_t index, std::int64_t duration_ns,
                std::int64_t jitter_buffer_ns, std::vector<Happening>& out) {
  std::uint16_t sequence = stream.first_sequence;
  std::int64_t output_ns = 0;
  const std::int64_t end_ns = std::min(duration_ns, stream.ends_ns);
  for (std::int64_t t = stream.begins_ns; t < end_ns; t += stream.frame_ns) {
    for (unsigned packet = 0; packet < stream.packets_per_frame; ++packet) {
      const std::int64_t sent_ns = t + stream.encode_ns + packet * 300'000;
      const std::int64_t arrival_ns = sent_ns + stream.delay(sent_ns);
      Happening event{
          arrival_ns, Happening::Kind::kArrival, index, sequence++, Timestamp(stream, t), 0, t};
      out.push_back(event);
      // In sequence order, as a jitter buffer lets them out.
      output_ns = std::max(output_ns, arrival_ns + jitter_buffer_ns);
      event.at_ns = output_ns;
      event.kind = Happening::Kind::kOutput;
      out.push_back(event);
    }
  }
}

void AddReports(const SyntheticStream& stream, std::size_t index, std::int64_t duration_ns,
                std::vector<Happening>& out) {
  if (stream.report_every_ns == 0) return;
  const std::int64_t end_ns = std::min(duration_ns, stream.ends_ns);
  for (std::int64_t t = stream.begins_ns + stream.first_report_ns; t < end_ns;
       t += stream.report_every_ns) {
    const std::uint64_t ntp = stream.tamper(Ntp(stream, t));
    if (ntp == 0) continue;
    out.push_back(
        {t + stream.delay(t), Happening::Kind::kReport, index, 0, Timestamp(stream, t), ntp, 0});
  }
}

}  // namespace

MappedFrames RunSenders(const std::vector<SyntheticStream>& streams, std::int64_t duration_ns,
                        std::int64_t jitter_buffer_ns) {
  RtpTimeline timeline;
  std::vector<Happening> happenings;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    timeline.AddStream(streams[i].ssrc, streams[i].track, streams[i].clock_rate_hz);
    AddPackets(streams[i], i, duration_ns, jitter_buffer_ns, happenings);
    AddReports(streams[i], i, duration_ns, happenings);
  }
  std::stable_sort(happenings.begin(), happenings.end(),
                   [](const Happening& a, const Happening& b) { return a.at_ns < b.at_ns; });
  MappedFrames mapped;
  for (const Happening& event : happenings) {
    const std::uint32_t ssrc = streams[event.stream].ssrc;
    switch (event.kind) {
      case Happening::Kind::kArrival:
        timeline.OnArrival(ssrc, event.sequence, event.timestamp, event.at_ns);
        break;
      case Happening::Kind::kReport:
        timeline.OnSenderReport(ssrc, event.ntp, event.timestamp);
        break;
      case Happening::Kind::kOutput:
        if (const auto at = timeline.Map(ssrc, event.sequence, event.timestamp)) {
          mapped[ssrc].push_back({event.captured_ns, *at});
        }
    }
  }
  return mapped;
}

double LargestSkewMs(const std::vector<MappedFrame>& one, const std::vector<MappedFrame>& other,
                     std::int64_t after_ns) {
  double largest = 0;
  std::size_t j = 0;
  for (const MappedFrame& frame : one) {
    while (j + 1 < other.size() && other[j + 1].captured_ns <= frame.captured_ns) ++j;
    const bool together = std::llabs(other[j].captured_ns - frame.captured_ns) < 100'000'000;
    if (frame.captured_ns < after_ns || !together) continue;
    const std::int64_t skew =
        (frame.mapped_ns - frame.captured_ns) - (other[j].mapped_ns - other[j].captured_ns);
    largest = std::max(largest, std::abs(static_cast<double>(skew)) / 1e6);
  }
  return largest;
}

ErrorRange ErrorsMs(const std::vector<MappedFrame>& frames, std::int64_t after_ns) {
  ErrorRange range{1e12, -1e12};
  for (const MappedFrame& frame : frames) {
    if (frame.captured_ns < after_ns) continue;
    const double error = static_cast<double>(frame.mapped_ns - frame.captured_ns) / 1e6;
    range.min_ms = std::min(range.min_ms, error);
    range.max_ms = std::max(range.max_ms, error);
  }
  return range;
}

std::function<std::int64_t(std::int64_t)> SkewedClock(double ppm) {
  return [ppm](std::int64_t t) {
    return t + static_cast<std::int64_t>(static_cast<double>(t) * ppm / 1e6);
  };
}

std::function<std::int64_t(std::int64_t)> SteppedClock(
    std::function<std::int64_t(std::int64_t)> clock, std::int64_t at_ns, std::int64_t step_ns) {
  return [clock = std::move(clock), at_ns, step_ns](std::int64_t t) {
    return clock(t) + (t >= at_ns ? step_ns : 0);
  };
}

std::function<std::int64_t(std::int64_t)> JitteryNetwork(unsigned seed, std::int64_t base_ns,
                                                         std::int64_t jitter_ns) {
  return [random = std::make_shared<std::mt19937>(seed), base_ns, jitter_ns](std::int64_t) {
    std::exponential_distribution<double> mostly_little(4.0);
    return base_ns + static_cast<std::int64_t>(std::min(mostly_little(*random), 3.0) *
                                               static_cast<double>(jitter_ns));
  };
}

}  // namespace kvsbridge::testing
