// Decides when a peer that says nothing is gone.
#pragma once

#include <cstdint>

namespace kvsbridge {

/// A peer that is there sends something: media, RTCP, or answers to the consent requests (RFC 7675)
/// that it is sent as soon as it falls silent. A camera that is switched off goes on answering; one
/// that was restarted, reloaded or cut off does not. Pure: time is handed in, monotonic.
class PeerSilence {
 public:
  /// Silent for this long, the peer is asked, and then again in this interval.
  static constexpr std::int64_t kAskAfterMs = 600;
  static constexpr std::int64_t kAskIntervalMs = 300;
  /// Silent for this long, it is gone: after eight questions. Where one of two packets is lost each
  /// way, that many stay without an answer in one case of ten, but then media had to fail as well.
  static constexpr std::int64_t kGoneAfterMs = 3'000;
  /// The same where answers cannot be seen.
  static constexpr std::int64_t kGoneUnseenAfterMs = 10'000;

  struct Decision {
    bool ask = false;
    bool gone = false;
  };

  explicit PeerSilence(std::int64_t now_ns) : heard_ns_(now_ns), ticked_ns_(now_ns) {}

  /// Something came from the peer.
  void OnHeard(std::int64_t now_ns) { heard_ns_ = now_ns; }

  /// Call about ten times a second. @param answers_are_seen whether STUN counts in `OnHeard`
  Decision Tick(std::int64_t now_ns, bool answers_are_seen) {
    // This process stood still: what came meanwhile was not looked at yet.
    if (now_ns - ticked_ns_ > kStallNs) heard_ns_ = now_ns;
    ticked_ns_ = now_ns;
    const std::int64_t silent_ms = SilentMs(now_ns);
    Decision decision;
    decision.gone = silent_ms >= (answers_are_seen ? kGoneAfterMs : kGoneUnseenAfterMs);
    decision.ask = silent_ms >= kAskAfterMs && now_ns - asked_ns_ >= kAskIntervalMs * kNsPerMs;
    if (decision.ask) asked_ns_ = now_ns;
    return decision;
  }

  [[nodiscard]] std::int64_t SilentMs(std::int64_t now_ns) const {
    return (now_ns - heard_ns_) / kNsPerMs;
  }

 private:
  static constexpr std::int64_t kNsPerMs = 1'000'000;
  static constexpr std::int64_t kStallNs = 1'000 * kNsPerMs;

  std::int64_t heard_ns_;
  std::int64_t ticked_ns_;
  std::int64_t asked_ns_ = 0;
};

}  // namespace kvsbridge
