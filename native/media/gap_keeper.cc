#include "media/gap_keeper.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace kvsbridge {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kSmallestGapNs = 200 * kNsPerMs;
constexpr std::int64_t kFramesPerGap = 3;

/// Why frames were dropped, in the words of a gap.
std::string GapReason(std::string_view reason) {
  if (reason == "undecodable") return "loss";
  const bool waits =
      reason == "before-keyframe" || reason == "fragment-too-short" || reason == "leading-picture";
  return waits ? "keyframe-wait" : std::string(reason);
}

}  // namespace

void GapKeeper::OnArrival(std::int64_t pts_ns) {
  if (first_arrival_ns_ == 0) first_arrival_ns_ = pts_ns;
}

void GapKeeper::OnDropped(unsigned frames, const char* reason) {
  if (dropped_ == 0) reason_ = GapReason(reason);
  dropped_ += frames;
}

std::optional<GapEvent> GapKeeper::OnVideo(std::int64_t position_ns, std::int64_t interval_ns) {
  std::optional<GapEvent> gap;
  if (video_end_ns_ != 0) {
    gap = Between(video_end_ns_, position_ns, interval_ns, dropped_);
  } else if (!stored_) {
    gap = Between(first_arrival_ns_, position_ns, interval_ns, dropped_);
    if (gap) gap->reason = "start";
  } else {
    // Audio was stored meanwhile: pictures are missing, and no time.
    gap = Between(position_ns, position_ns, interval_ns, dropped_);
  }
  stored_ = true;
  video_end_ns_ = std::max(video_end_ns_, position_ns + interval_ns);
  dropped_ = 0;
  return gap;
}

std::optional<GapEvent> GapKeeper::OnLoneAudio(std::int64_t covered_ns, std::int64_t pts_ns) {
  if (!std::exchange(stored_, true) || covered_ns == 0) return std::nullopt;
  // Dropped video belongs to the gap of video, which lasts.
  return Between(covered_ns, pts_ns, 0, 0);
}

std::optional<GapEvent> GapKeeper::Between(std::int64_t from_ns, std::int64_t to_ns,
                                           std::int64_t interval_ns, unsigned dropped) const {
  const bool is_long = to_ns - from_ns > std::max(kSmallestGapNs, kFramesPerGap * interval_ns);
  // However short it is: what arrived and is not stored has its place in a gap.
  if (!is_long && dropped == 0) return std::nullopt;
  const std::int64_t from_ms = from_ns / kNsPerMs;
  const std::int64_t to_ms = std::max(from_ms, to_ns / kNsPerMs);
  return GapEvent{from_ms, to_ms, dropped_ == 0 ? "source-silent" : reason_, dropped};
}

}  // namespace kvsbridge
