#include "media/media_watch.h"

#include <utility>

namespace kvsbridge {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
/// Fewer packets than this may be padding or probes.
constexpr std::uint64_t kFewPackets = 10;
/// Packets still come when one came within this time.
constexpr std::int64_t kFlowingMs = 1'500;
/// What was sent before a report has come this long after it.
constexpr std::int64_t kSettledMs = 1'200;
/// Fewer than this between two reports may be lost, or padding.
constexpr std::uint32_t kManyPackets = 10;

}  // namespace

MediaWatch::Decision MediaWatch::Tick(std::int64_t now_ns, std::uint64_t media_packets,
                                      std::uint64_t video_packets) {
  Decision decision;
  const std::uint64_t fresh = video_packets - video_packets_;
  video_packets_ = video_packets;
  if (fresh != 0) {
    video_packet_ns_ = now_ns;
    if (without_frame_since_ns_ == 0) {
      without_frame_since_ns_ = now_ns;
      packets_without_frame_ = 0;
    }
    packets_without_frame_ += fresh;
  } else if (now_ns - video_packet_ns_ > kFlowingMs * kNsPerMs) {
    without_frame_since_ns_ = 0;  // a pause: what comes behind it begins anew
  }
  if (media_packets == 0) {
    const std::int64_t waited_ms = (now_ns - began_ns_) / kNsPerMs;
    if (first_media_ms_ != 0 && waited_ms >= first_media_ms_) {
      decision.fault = "the master is connected, but sent no media for " +
                       std::to_string(waited_ms / 1'000) + " s";
    }
    return decision;
  }
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

std::optional<std::string> MediaWatch::OnReports(std::int64_t now_ns,
                                                 const std::vector<SourceReport>& reports) {
  std::optional<std::string> fault;
  for (const SourceReport& report : reports) {
    const auto [entry, added] =
        sources_.try_emplace(report.ssrc, Source{report, report.packets_received, now_ns});
    Source& source = entry->second;
    if (added) continue;
    if (report.packets_received != source.received) {
      source.received = report.packets_received;
      source.received_ns = now_ns;
    }
    if (report.packets_sent == source.reported.packets_sent) continue;
    // Modulo 2^32, as the reports count.
    const std::uint32_t sent = report.packets_sent - source.reported.packets_sent;
    source.reported = report;
    const std::int64_t silent_ms = (now_ns - source.received_ns) / kNsPerMs;
    // Between two reports that both fall into the silence.
    const bool was_silent = std::exchange(source.was_silent, silent_ms >= kSettledMs);
    if (was_silent && silent_ms >= kSilentSourceMs && sent >= kManyPackets) {
      fault = "the master reports that it sends, but none of it came for " +
              std::to_string(silent_ms) + " ms";
    }
  }
  return fault;
}

}  // namespace kvsbridge
