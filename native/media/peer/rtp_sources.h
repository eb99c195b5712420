// What rtpsession counts of the peer's RTP streams.
#pragma once

#include <glib-object.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "media/transport_stats.h"

namespace kvsbridge {

/// One RTP stream of the peer, since its first packet.
struct RtpSource {
  std::uint32_t ssrc = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t bytes_received = 0;
  std::int64_t packets_lost = 0;  ///< below zero when more came twice than were lost
  double jitter_ms = 0;
  std::uint64_t nacks_sent = 0;
  std::uint64_t plis_sent = 0;
  std::uint64_t firs_sent = 0;
  bool left = false;                   ///< it said goodbye (RTCP BYE)
  bool has_report = false;             ///< a sender report came
  std::uint32_t packets_reported = 0;  ///< sent, by the newest one
};

/// Reads the remote sources of a GstRTPSession. @param rtp_session may be null: there are none
std::vector<RtpSource> ReadRtpSources(GObject* rtp_session);

/// Adds streams up to tracks. Pure; loop thread.
class RtpTrackSums {
 public:
  /// From now on the track is carried by this stream.
  void Follow(const std::string& track, std::uint32_t ssrc);
  void Update(const std::vector<RtpSource>& sources);
  /// A track is carried by this stream now.
  [[nodiscard]] bool Carries(std::uint32_t ssrc) const;
  [[nodiscard]] RtpTrackStats Read(const std::string& track) const;

 private:
  struct Track {
    std::uint32_t ssrc = 0;
    RtpTrackStats before;   ///< of the streams before
    RtpTrackStats present;  ///< of this one
  };

  std::map<std::string, Track> tracks_;
};

}  // namespace kvsbridge
