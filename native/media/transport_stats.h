// How the network treats a session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kvsbridge {

/// The ICE candidates that media flows between, in the words of RFC 8839.
struct CandidatePair {
  std::string local;     ///< "host", "srflx", "prflx" or "relay"; empty before ICE chose
  std::string remote;    ///< the same
  std::string protocol;  ///< of the local candidate: "udp" or "tcp"
};

/// Sums of the RTP streams that carried one track, one after the other.
struct RtpTrackStats {
  std::uint64_t packets_received = 0;
  std::uint64_t bytes_received = 0;  ///< payload
  std::uint64_t packets_lost = 0;    ///< on the way (RFC 3550); what is sent again stays lost
  std::uint64_t nacks_sent = 0;
  std::uint64_t plis_sent = 0;
  std::uint64_t firs_sent = 0;
  double jitter_ms = 0;  ///< interarrival jitter of the newest stream (RFC 3550)
};

/// All of it, since the session began.
struct TransportStats {
  CandidatePair pair;
  std::optional<double> round_trip_ms;  ///< the newest; nothing where it cannot be measured
  RtpTrackStats video;
  RtpTrackStats audio;
};

}  // namespace kvsbridge
