#include "media/recorder/gap_keeper.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace kvsbridge {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kSmallestGapNs = 200 * kNsPerMs;
constexpr std::int64_t kFramesPerGap = 3;
constexpr const char* kSilent = "source-silent";
constexpr const char* kLoss = "loss";
constexpr const char* kWait = "keyframe-wait";

/// Why frames were dropped, in the words of a gap.
std::string GapReason(std::string_view reason) {
  if (reason == "undecodable") return kLoss;
  const bool waits =
      reason == "before-keyframe" || reason == "fragment-too-short" || reason == "leading-picture";
  return waits ? kWait : std::string(reason);
}

}  // namespace

void GapKeeper::OnArrival(std::int64_t pts_ns) {
  if (first_arrival_ns_ == 0) first_arrival_ns_ = pts_ns;
}

void GapKeeper::OnDropped(unsigned frames, const char* reason) {
  // To wait for a keyframe is what most other reasons end with.
  const std::string word = GapReason(reason);
  if (newest_reason_.empty() || word != kWait) newest_reason_ = word;
  dropped_by_reason_[newest_reason_] += frames;
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
    // Audio was stored meanwhile: of a peer that never spoke of pictures no time is missing.
    const std::int64_t from_ns = video_expected_ ? first_arrival_ns_ : position_ns;
    gap = Between(from_ns, position_ns, interval_ns, dropped_);
  }
  stored_ = true;
  video_end_ns_ = std::max(video_end_ns_, position_ns + interval_ns);
  dropped_ = 0;
  dropped_by_reason_.clear();
  newest_reason_.clear();
  lost_packets_ = 0;
  return gap;
}

std::optional<GapEvent> GapKeeper::OnLoneAudio(std::int64_t covered_ns, std::int64_t pts_ns) {
  if (!std::exchange(stored_, true) || covered_ns == 0) return std::nullopt;
  // Dropped video belongs to the gap of video, which lasts.
  return Between(covered_ns, pts_ns, 0, 0);
}

std::optional<GapEvent> GapKeeper::OnEnd(std::int64_t covered_ns, std::int64_t interval_ns) const {
  // What ends together with its sound is no hole; without sound nothing tells that time passed.
  if (video_end_ns_ == 0 || covered_ns <= video_end_ns_) return std::nullopt;
  auto gap = Between(video_end_ns_, covered_ns, interval_ns, 0);
  if (gap) gap->video_frames_dropped = dropped_;
  return gap;
}

std::optional<GapEvent> GapKeeper::Between(std::int64_t from_ns, std::int64_t to_ns,
                                           std::int64_t interval_ns, unsigned dropped) const {
  const bool is_long = to_ns - from_ns > std::max(kSmallestGapNs, kFramesPerGap * interval_ns);
  // However short it is: what arrived and is not stored has its place in a gap.
  if (!is_long && dropped == 0) return std::nullopt;
  const std::int64_t from_ms = from_ns / kNsPerMs;
  const std::int64_t to_ms = std::max(from_ms, to_ns / kNsPerMs);
  return GapEvent{from_ms, to_ms, ReasonFor(to_ns - from_ns, interval_ns), dropped};
}

std::string GapKeeper::ReasonFor(std::int64_t hole_ns, std::int64_t interval_ns) const {
  const std::int64_t unexplained_ns = hole_ns - dropped_ * interval_ns;
  std::map<std::string, std::int64_t> explained_ns;
  for (const auto& [reason, frames] : dropped_by_reason_) {
    explained_ns[reason] = frames * interval_ns;
  }
  // A frame has a packet at least: who lost half of those that there was time for lost the rest.
  const bool was_lost = lost_packets_ != 0 && 2 * lost_packets_ * interval_ns >= unexplained_ns;
  if (unexplained_ns > 0) explained_ns[was_lost ? kLoss : kSilent] += unexplained_ns;
  const std::string* longest = nullptr;
  for (const auto& [reason, ns] : explained_ns) {
    if (longest == nullptr || ns > explained_ns[*longest]) longest = &reason;
  }
  return longest == nullptr ? kSilent : *longest;
}

}  // namespace kvsbridge
