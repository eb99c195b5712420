// One time line for all RTP streams of a session.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "media/timeline/sender_clock.h"

namespace kvsbridge {

/// Maps RTP timestamps to the bridge's clock.
///
/// Each stream's media time (see SenderClock) is put on the sender's common clock by its RTCP
/// sender reports, and the common clock on the bridge's by the least delayed arrivals of all
/// streams. So sound and picture stay as far apart as the sender's reports say, whatever the
/// network does to either, and both follow the bridge's clock, whatever the sender's clock does. A
/// stream without reports goes by its own arrivals.
///
/// Corrections are applied slowly, by at most 4 % of the time passed (20 % when more than half a
/// second is to be made good); only a clock that is more than half a second behind jumps forward. A
/// track's times never go back, not even when another SSRC carries it on.
///
/// Reports are untrusted: one whose NTP time contradicts what is known is taken for a step of the
/// sender's NTP clock, which all streams then share. It changes no time at all.
///
/// Pure: no GStreamer, no clock of its own. Not thread-safe.
class RtpTimeline {
 public:
  /// Introduces a stream; repeats have no effect. @param track what the SSRC belongs to: a later
  /// stream of the same track goes on behind it
  /// @param clock_rate_hz of the payload, 1 kHz to 1 MHz
  void AddStream(std::uint32_t ssrc, const std::string& track, unsigned clock_rate_hz);

  /// A packet has come from the network, in any order. @param arrival_ns bridge clock
  void OnArrival(std::uint32_t ssrc, std::uint16_t sequence, std::uint32_t timestamp,
                 std::int64_t arrival_ns);

  /// A sender report has come. @param ntp its NTP timestamp, 32.32 fixed point
  /// @param timestamp its RTP timestamp
  void OnSenderReport(std::uint32_t ssrc, std::uint64_t ntp, std::uint32_t timestamp);

  /// Bridge clock time at which a packet that has arrived was (apart from the least network delay)
  /// captured. Equal for all packets of a frame; in the order of RTP time, not of the calls.
  /// Nothing for an unknown stream.
  [[nodiscard]] std::optional<std::int64_t> Map(std::uint32_t ssrc, std::uint16_t sequence,
                                                std::uint32_t timestamp);

 private:
  /// A frame's time, once given.
  struct Knot {
    std::int64_t media_ns = 0;
    std::int64_t mapped_ns = 0;
  };
  struct Stream {
    explicit Stream(std::string track_name, unsigned clock_rate_hz)
        : track(std::move(track_name)), clock(clock_rate_hz) {}

    std::string track;
    SenderClock clock;
    /// Sender's common clock minus media time; by its reports.
    std::optional<std::int64_t> report_offset_ns;
    std::int64_t applied_offset_ns = 0;  ///< bridge clock minus media time, as applied
    unsigned restarts_seen = 0;
    std::deque<Knot> knots;  ///< ascending; empty until the first Map
  };

  Stream* Find(std::uint32_t ssrc);
  void ForgetOldest();
  /// Bridge clock minus the sender's common clock.
  [[nodiscard]] std::optional<std::int64_t> CommonOffsetNs() const;
  [[nodiscard]] std::optional<std::int64_t> TargetOffsetNs(Stream& stream) const;
  void Refine(Stream& stream, std::int64_t ntp_ns, std::uint32_t timestamp);
  void Introduce(Stream& stream, std::int64_t ntp_ns, std::uint32_t timestamp);
  [[nodiscard]] std::int64_t NearestEra(std::int64_t shift_ns) const;
  void AddEra(std::int64_t shift_ns);
  void Anchor(Stream& stream, std::int64_t media_ns, std::int64_t target_ns) const;
  static void Slew(Stream& stream, std::int64_t passed_ns, std::int64_t target_ns);
  [[nodiscard]] static std::int64_t Interpolate(const std::deque<Knot>& knots,
                                                std::int64_t media_ns);

  std::map<std::uint32_t, Stream> streams_;
  std::map<std::string, std::int64_t> newest_;  ///< by track: the latest time given
  /// What the sender's NTP clock has stepped by since the session began; each entry is the sum of
  /// the steps so far. Streams learn of a step one report after the other and then share its size.
  std::deque<std::int64_t> eras_;
  std::int64_t newest_arrival_ns_ = 0;
};

}  // namespace kvsbridge
