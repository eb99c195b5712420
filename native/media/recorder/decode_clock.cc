#include "media/recorder/decode_clock.h"

#include <algorithm>
#include <functional>

namespace kvsbridge {
namespace {

/// Largest decoded picture buffer of H.264 and H.265.
constexpr std::size_t kMaxDepth = 16;

}  // namespace

std::int64_t DecodeClock::Stamp(std::int64_t pts_ns, bool keyframe) {
  if (keyframe) latest_ns_.clear();
  const auto place =
      std::lower_bound(latest_ns_.begin(), latest_ns_.end(), pts_ns, std::greater<>());
  const auto later = static_cast<std::size_t>(place - latest_ns_.begin());
  latest_ns_.insert(place, pts_ns);
  depth_ = std::min(std::max(depth_, later), kMaxDepth);
  if (latest_ns_.size() > kMaxDepth + 1) latest_ns_.pop_back();
  const std::size_t index = std::min(depth_, latest_ns_.size() - 1);
  last_dts_ns_ = std::max(last_dts_ns_, latest_ns_[index]);
  return last_dts_ns_;
}

}  // namespace kvsbridge
