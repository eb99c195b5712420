// Senders that exist as arithmetic only: clocks that are off, networks that delay, and what
// RtpTimeline makes of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <vector>

#include "media/timeline/rtp_timeline.h"

namespace kvsbridge::testing {

/// One stream of a synthetic sender. All times are true time in ns since the test began.
struct SyntheticStream {
  std::uint32_t ssrc = 0;
  const char* track = "video";
  unsigned clock_rate_hz = 90'000;
  std::int64_t frame_ns = 33'333'333;
  unsigned packets_per_frame = 1;
  /// From capture to the first packet.
  std::int64_t encode_ns = 0;
  std::int64_t begins_ns = 0;
  std::int64_t ends_ns = INT64_MAX;
  std::uint32_t first_timestamp = 0;
  std::uint16_t first_sequence = 0;
  /// What the sender's media clock shows, in ns, when it truly is `t`.
  std::function<std::int64_t(std::int64_t t)> media_clock = [](std::int64_t t) { return t; };
  /// What the sender's wall clock shows when it truly is `t`.
  std::function<std::int64_t(std::int64_t t)> wall_clock = [](std::int64_t t) { return t; };
  /// Sender reports; 0: none. The first one comes after `first_report_ns`.
  std::int64_t report_every_ns = 2'000'000'000;
  std::int64_t first_report_ns = 700'000'000;
  /// Turns a report's NTP time into what is sent; 0 drops the report.
  std::function<std::uint64_t(std::uint64_t ntp)> tamper = [](std::uint64_t ntp) { return ntp; };
  /// How long the network takes a packet that is sent at `t`.
  std::function<std::int64_t(std::int64_t t)> delay = [](std::int64_t) { return 20'000'000; };
};

/// A packet that has left the jitter buffer.
struct MappedFrame {
  std::int64_t captured_ns = 0;
  std::int64_t mapped_ns = 0;
};

using MappedFrames = std::map<std::uint32_t, std::vector<MappedFrame>>;  ///< by SSRC

/// Sends `streams` for `duration_ns` through an RtpTimeline, with `jitter_buffer_ns` between a
/// packet's arrival and its mapping.
MappedFrames RunSenders(const std::vector<SyntheticStream>& streams, std::int64_t duration_ns,
                        std::int64_t jitter_buffer_ns = 200'000'000);

/// Largest difference between the errors of the two streams at any time from `after_ns` on, in ms:
/// the skew between picture and sound.
double LargestSkewMs(const std::vector<MappedFrame>& one, const std::vector<MappedFrame>& other,
                     std::int64_t after_ns);

/// Smallest and largest mapped time minus capture time from `after_ns` on, in ms.
struct ErrorRange {
  double min_ms = 0;
  double max_ms = 0;
};
ErrorRange ErrorsMs(const std::vector<MappedFrame>& frames, std::int64_t after_ns);

/// A clock that runs `ppm` too fast.
std::function<std::int64_t(std::int64_t)> SkewedClock(double ppm);
/// `clock`, and from `at_ns` on `step_ns` ahead of it.
std::function<std::int64_t(std::int64_t)> SteppedClock(
    std::function<std::int64_t(std::int64_t)> clock, std::int64_t at_ns, std::int64_t step_ns);
/// At least `base_ns`, plus mostly little and sometimes much.
std::function<std::int64_t(std::int64_t)> JitteryNetwork(unsigned seed, std::int64_t base_ns,
                                                         std::int64_t jitter_ns);

}  // namespace kvsbridge::testing
