#include "media/peer/media_watch.h"

#include <algorithm>

namespace kvsbridge {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kNsPerSecond = 1'000 * kNsPerMs;
/// Fewer packets than this may be padding or probes.
constexpr std::uint64_t kFewPackets = 10;
/// Packets still come when one came within this time.
constexpr std::int64_t kFlowingMs = 1'500;
/// What was sent before a report has come this long after it.
constexpr std::int64_t kSettledMs = 1'000;
/// Fewer than this may be on their way.
constexpr std::int64_t kManyPackets = 10;

}  // namespace

MediaWatch::Decision MediaWatch::Tick(std::int64_t now_ns, const PacketCounts& packets) {
  Decision decision;
  const std::uint64_t fresh = packets.video - packets_.video;
  if (packets.media != packets_.media) media_packet_ns_ = now_ns;
  packets_ = packets;
  OnVideoPackets(now_ns, fresh);
  if (packets.media == 0) {
    const std::int64_t waited_ms = (now_ns - began_ns_) / kNsPerMs;
    if (patience_.first_media_ms != 0 && waited_ms >= patience_.first_media_ms) {
      decision.fault = "the master is connected, but sent no media for " +
                       std::to_string(waited_ms / 1'000) + " s";
    }
    return decision;
  }
  decision.fault = FindSilence(now_ns);
  if (decision.fault) return decision;
  if (without_frame_since_ns_ == 0 || packets_without_frame_ < kFewPackets) return decision;
  const std::int64_t waited_ms = (now_ns - without_frame_since_ns_) / kNsPerMs;
  if (waited_ms >= kNoFrameMs) {
    decision.fault = "the master sends packets of video (" +
                     std::to_string(packets_without_frame_) + "), but no frame came of them for " +
                     std::to_string(waited_ms) + " ms";
    return decision;
  }
  decision.ask_keyframe =
      waited_ms >= kAskKeyframeAfterMs && now_ns - asked_ns_ >= kAskKeyframeIntervalMs * kNsPerMs;
  if (decision.ask_keyframe) asked_ns_ = now_ns;
  return decision;
}

void MediaWatch::OnVideoPackets(std::int64_t now_ns, std::uint64_t fresh) {
  const bool paused = now_ns - video_packet_ns_ > kFlowingMs * kNsPerMs;
  if (fresh == 0) {
    if (paused) without_frame_since_ns_ = 0;  // what comes behind the pause begins anew
    return;
  }
  if (paused) video_flows_since_ns_ = now_ns;
  video_packet_ns_ = now_ns;
  video_left_ = false;
  if (without_frame_since_ns_ == 0) {
    without_frame_since_ns_ = now_ns;
    packets_without_frame_ = 0;
  }
  packets_without_frame_ += fresh;
}

std::optional<std::string> MediaWatch::FindSilence(std::int64_t now_ns) const {
  const std::int64_t silent_ms = (now_ns - video_packet_ns_) / kNsPerMs;
  const bool was_steady = video_packet_ns_ - video_flows_since_ns_ >= kSteadyMs * kNsPerMs;
  if (patience_.silent_video_ms == 0 || silent_ms < patience_.silent_video_ms || !was_steady ||
      video_left_) {
    return std::nullopt;
  }
  const bool all_silent = (now_ns - media_packet_ns_) / kNsPerMs >= silent_ms - kFlowingMs;
  return "the master is connected, but its video stopped " + std::to_string(silent_ms) +
         " ms ago, " + (all_silent ? "and everything else" : "while it sends something else");
}

std::optional<std::string> MediaWatch::OnReports(std::int64_t now_ns,
                                                 const std::vector<SourceReport>& reports) {
  std::optional<std::string> fault;
  for (const SourceReport& report : reports) {
    if (report.left && report.ssrc == packets_.video_ssrc) video_left_ = true;
    const auto [entry, added] =
        sources_.try_emplace(report.ssrc, Source{report, report.packets_received, now_ns});
    Source& source = entry->second;
    if (added) continue;
    if (report.packets_received != source.received) {
      source.received = report.packets_received;
      source.received_ns = now_ns;
      source.is_missed = false;
      if (now_ns - source.second_began_ns >= kNsPerSecond) {
        source.per_second =
            static_cast<std::int64_t>(report.packets_received - source.second_began_received);
        source.second_began_ns = now_ns;
        source.second_began_received = report.packets_received;
      }
    }
    const std::int64_t silent_ms = (now_ns - source.received_ns) / kNsPerMs;
    if (report.packets_sent != source.reported.packets_sent) {
      // Modulo 2^32, as the reports count.
      const std::uint32_t sent = report.packets_sent - source.reported.packets_sent;
      // Those that got lost on the way are expected too: the rest was sent behind what came last.
      const std::int64_t expected = report.packets_expected - source.reported.packets_expected;
      // Browsers count video that they sent again as well.
      const bool is_exact = expected == 0 || report.ssrc != packets_.video_ssrc;
      // A report is looked at some time after it came: what arrived between the two seems to be
      // missing when the source then ends.
      const std::int64_t many = std::max(kManyPackets, source.per_second / 2);
      const bool is_settled = is_exact && silent_ms >= kSettledMs;
      source.is_missed = is_settled && sent - expected >= many;
      // Else few of them add up over the reports of the silence.
      if (source.is_missed || !is_settled) source.reported = report;
    }
    if (source.is_missed && silent_ms >= kSilentSourceMs) {
      fault = "the master reports that it sends, but nothing of it got through for " +
              std::to_string(silent_ms) + " ms";
    }
  }
  return fault;
}

}  // namespace kvsbridge
