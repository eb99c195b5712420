// One RTP stream's clock, as seen from here.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "media/timeline/sliding_minimum.h"

namespace kvsbridge {

/// Reads an NTP timestamp (32.32 fixed point, RFC 3550 section 4) as nanoseconds. Only differences
/// mean anything: the era is left out.
std::int64_t NtpToNs(std::uint64_t ntp);

/// Turns the 32-bit timestamps of one SSRC into media time: nanoseconds on the sender's media clock
/// that neither wrap around nor jump.
///
/// Tells what the network does from what the clock does. Delay only ever adds, so
///  - packets that come earlier than ever before by far, or timestamps that fall back by far, are a
///    step of the sender's RTP clock: it is taken out of media time;
///  - packets that stay late by far for seconds are a pause that the sender did not count: the
///    arrival estimate is begun anew.
///
/// Pure: no GStreamer, no clock of its own. Not thread-safe.
class SenderClock {
 public:
  /// How long the arrival estimate remembers. Long enough for a congested network to show its floor
  /// now and then; at 200 ppm the estimate lags by 4 ms.
  static constexpr std::int64_t kWindowNs = 20'000'000'000;

  /// @param clock_rate_hz of the payload, 1 kHz to 1 MHz
  explicit SenderClock(unsigned clock_rate_hz);

  /// A packet has come, in any order. @param arrival_ns bridge clock, not going back
  void OnArrival(std::uint16_t sequence, std::uint32_t timestamp, std::int64_t arrival_ns);

  /// Media time of a packet that has arrived before (so that its place is known), or nothing.
  [[nodiscard]] std::optional<std::int64_t> MediaNs(std::uint16_t sequence,
                                                    std::uint32_t timestamp) const;

  /// Media time of a sender report's timestamp, which follows the newest step of the RTP clock.
  /// Nothing before the first packet.
  [[nodiscard]] std::optional<std::int64_t> ReportMediaNs(std::uint32_t timestamp) const;

  /// Add this to media time for the bridge clock's time of (undelayed) arrival.
  [[nodiscard]] std::optional<std::int64_t> arrival_offset_ns() const { return offsets_.Get(); }
  /// Changes whenever the arrival estimate was begun anew.
  [[nodiscard]] unsigned restarts() const { return restarts_; }
  [[nodiscard]] std::int64_t last_arrival_ns() const { return last_arrival_ns_; }

 private:
  /// A stretch of packets between two steps of the RTP clock.
  struct Segment {
    std::int64_t first_sequence = 0;
    std::int64_t last_timestamp = 0;  ///< extended; the newest
    std::int64_t shift_ns = 0;        ///< takes the steps so far out of media time
  };
  /// Packets that contradict the estimate; one alone is an accident.
  struct Suspicion {
    unsigned packets = 0;
    std::int64_t first_sequence = 0;
    std::int64_t min_offset_ns = 0;
  };

  [[nodiscard]] std::int64_t ExtendSequence(std::uint16_t sequence) const;
  [[nodiscard]] static std::int64_t Extend(const Segment& segment, std::uint32_t timestamp);
  [[nodiscard]] std::int64_t ToNs(const Segment& segment, std::int64_t timestamp) const;
  [[nodiscard]] bool LooksLikeStep(std::int64_t media_ns, std::int64_t offset_ns) const;
  bool Suspect(std::int64_t sequence, std::int64_t offset_ns);
  void AbsorbStep(std::uint32_t timestamp);
  void BeginSegment(std::int64_t first_sequence, std::uint32_t timestamp, std::int64_t media_ns);
  void WatchForPause(std::int64_t offset_ns, std::int64_t arrival_ns);
  void Restart();

  const std::int64_t clock_rate_hz_;
  std::deque<Segment> segments_;  ///< oldest first; few are kept
  SlidingMinimum offsets_{kWindowNs};
  Suspicion step_;
  std::optional<std::int64_t> late_since_ns_;
  std::int64_t late_min_offset_ns_ = 0;
  std::optional<std::int64_t> newest_media_ns_;  ///< since the last restart
  std::int64_t last_sequence_ = 0;               ///< extended; the newest
  std::int64_t first_arrival_ns_ = 0;
  std::int64_t last_arrival_ns_ = 0;
  unsigned restarts_ = 0;
};

}  // namespace kvsbridge
