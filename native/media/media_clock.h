// One time line per session.
#pragma once

#include <cstdint>

#include "glib/ptr.h"

namespace kvsbridge {

/// Maps a pipeline's running time to nanoseconds since the Unix epoch. Anchored once, when the
/// pipeline starts, so that all producer timestamps of a session share one steady time line.
class MediaClock {
 public:
  /// Reads the pipeline's base time and clock. Call when the pipeline is PLAYING.
  explicit MediaClock(GstElement* pipeline)
      : epoch_of_running_time_zero_ns_(ReadOffset(pipeline)) {}

  [[nodiscard]] std::int64_t ToUnixNs(GstClockTime running_time) const {
    return epoch_of_running_time_zero_ns_ + static_cast<std::int64_t>(running_time);
  }

  /// Monotonic now, for durations.
  static std::int64_t MonotonicNs() { return g_get_monotonic_time() * 1'000; }
  /// Wall clock now.
  static std::int64_t UnixNs() { return g_get_real_time() * 1'000; }

 private:
  static std::int64_t ReadOffset(GstElement* pipeline) {
    const auto clock = ObjectPtr<GstClock>::Adopt(gst_element_get_clock(pipeline));
    const GstClockTime now = clock ? gst_clock_get_time(clock.get()) : 0;
    const auto running = static_cast<std::int64_t>(now - gst_element_get_base_time(pipeline));
    return UnixNs() - running;
  }

  std::int64_t epoch_of_running_time_zero_ns_;
};

}  // namespace kvsbridge
