// Decode times for frames that carry presentation times only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace kvsbridge {

/// RTP tells when a picture is shown, not when it is decoded; with B-frames these differ. In decode
/// order, with pictures that are at most n places late, the (n+1)-th latest presentation time so
/// far never goes back and is never above the picture's own: that serves as decode time. n is
/// learnt from the stream, 0 at first; where it grows, one picture has a decode time above its
/// presentation time.
class DecodeClock {
 public:
  /// @param pts_ns of the next frame in decode order
  /// @param keyframe everything before it is shown before it
  /// @returns its decode time; never goes back
  std::int64_t Stamp(std::int64_t pts_ns, bool keyframe);

  /// B-frames were seen.
  [[nodiscard]] bool reordered() const { return depth_ > 0; }

 private:
  std::deque<std::int64_t> latest_ns_;  ///< presentation times, latest first
  std::size_t depth_ = 0;
  std::int64_t last_dts_ns_ = 0;
};

}  // namespace kvsbridge
