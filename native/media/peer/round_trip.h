// How long a packet takes to the peer and back.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <optional>

#include "media/peer/consent_request.h"

namespace kvsbridge {

/// Tells the answers to our own STUN binding requests, which libnice would swallow.
///
/// A receiver learns no round trip from RTCP, and libnice tells none of those it sees. So requests
/// carry a mark in their transaction id, and a socket filter cuts the answers with that mark to
/// their header. A message that is shorter than it says is no STUN for libnice: it comes out of
/// `nicesrc` like media, where a probe takes it away. Where that does not work (TCP, a relay, no
/// filters), the answers end in libnice, and there is no round trip to tell.
class StunMark {
 public:
  StunMark();

  /// Lets answers with the mark through on a UDP socket; has no effect on others. Repeats are fine.
  void PassAnswers(int descriptor) const;
  /// A transaction id with the mark. @param number which request it is
  [[nodiscard]] StunTransactionId Transaction(std::uint64_t number) const;
  /// Which request this packet answers; nothing when it is anything else. Any thread.
  [[nodiscard]] std::optional<std::uint64_t> AnsweredBy(GstBuffer* packet) const;

 private:
  const std::uint32_t mark_;
};

/// The newest round trip of one path. Pure: time is handed in, monotonic.
class RoundTrip {
 public:
  /// A request leaves. @return its number
  std::uint64_t OnRequest(std::int64_t now_ns);
  /// Its answer came; answers to older requests have no effect.
  void OnAnswer(std::uint64_t number, std::int64_t now_ns);
  /// In ms; nothing before the first answer, and after three requests without one.
  [[nodiscard]] std::optional<double> ReadMs() const;

 private:
  std::uint64_t requests_ = 0;
  std::uint64_t answered_ = 0;
  std::int64_t sent_ns_ = 0;
  double newest_ms_ = 0;
};

}  // namespace kvsbridge
