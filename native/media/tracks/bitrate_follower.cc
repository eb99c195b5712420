#include "media/tracks/bitrate_follower.h"

#include <algorithm>
#include <cmath>

namespace kvsbridge {
namespace {

constexpr std::int64_t kWindowNs = 2'000'000'000;
/// A longer pause between frames tells nothing about the bitrate.
constexpr std::int64_t kMaxWindowNs = 2 * kWindowNs;
constexpr double kFirstFrameRate = 30;

// Bits per pixel: what H.264 needs for a poor, a good and a lavish picture.
constexpr double kFloorBpp = 0.02;
constexpr double kFirstBpp = 0.1;
constexpr double kCeilingBpp = 0.5;
constexpr double kMinBps = 150'000;
constexpr double kMaxBps = 40'000'000;

// A change of the limit smaller than this is not worth telling the encoder.
constexpr double kRise = 1.1;
constexpr double kFall = 0.7;
constexpr double kFrameRateChange = 0.25;
constexpr unsigned kLowWindowsToFall = 2;

/// How many bits a fast H.264 encoder needs for what the codec says in one. Estimates on the safe
/// side: quality is limited by the encoder's own aim, this only bounds it.
double EfficiencyFactor(SourceCodec codec) {
  switch (codec) {
    case SourceCodec::kVp9:
      return 1.8;
    case SourceCodec::kAv1:
      return 2.2;
    default:
      return 1.3;
  }
}

}  // namespace

BitrateFollower::BitrateFollower(SourceCodec codec) : factor_(EfficiencyFactor(codec)) {}

BitrateLimit BitrateFollower::OnSize(unsigned width, unsigned height) {
  const double pixels_per_second = kFirstFrameRate * width * height;
  floor_bps_ = std::clamp(pixels_per_second * kFloorBpp, kMinBps, kMaxBps);
  ceiling_bps_ = std::clamp(pixels_per_second * kCeilingBpp, floor_bps_, kMaxBps);
  const double first = limit_.bitrate_bps == 0 ? pixels_per_second * kFirstBpp : limit_.bitrate_bps;
  limit_.bitrate_bps = static_cast<unsigned>(Bounded(first));
  if (limit_.frame_rate == 0) limit_.frame_rate = kFirstFrameRate;
  return limit_;
}

std::optional<BitrateLimit> BitrateFollower::OnFrame(std::size_t bytes, std::int64_t pts_ns) {
  const std::int64_t duration_ns = pts_ns - window_start_ns_;
  std::optional<BitrateLimit> changed;
  if (window_start_ns_ < 0 || duration_ns < 0 || duration_ns >= kWindowNs) {
    if (window_start_ns_ >= 0 && duration_ns >= kWindowNs && duration_ns <= kMaxWindowNs) {
      changed = Measure(duration_ns);
    }
    window_start_ns_ = pts_ns;
    window_bytes_ = 0;
    window_frames_ = 0;
  }
  window_bytes_ += bytes;
  ++window_frames_;
  return changed;
}

std::optional<BitrateLimit> BitrateFollower::Measure(std::int64_t duration_ns) {
  if (limit_.bitrate_bps == 0) return std::nullopt;  // no size yet
  const double seconds = static_cast<double>(duration_ns) / 1e9;
  const double wanted_bps = Bounded(static_cast<double>(window_bytes_) * 8 / seconds * factor_);
  const double frame_rate = window_frames_ / seconds;

  low_windows_ = wanted_bps < limit_.bitrate_bps * kFall ? low_windows_ + 1 : 0;
  const bool changes_bitrate =
      wanted_bps > limit_.bitrate_bps * kRise || low_windows_ >= kLowWindowsToFall;
  const bool changes_rate =
      std::abs(frame_rate - limit_.frame_rate) > limit_.frame_rate * kFrameRateChange;
  if (!changes_bitrate && !changes_rate) return std::nullopt;
  if (changes_bitrate) {
    limit_.bitrate_bps = static_cast<unsigned>(wanted_bps);
    low_windows_ = 0;
  }
  limit_.frame_rate = frame_rate;
  return limit_;
}

double BitrateFollower::Bounded(double bitrate_bps) const {
  return std::clamp(bitrate_bps, floor_bps_, ceiling_bps_);
}

}  // namespace kvsbridge
