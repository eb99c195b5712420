// Checks what the peer sends before webrtcbin sees it.
#pragma once

#include <gst/sdp/sdp.h>

#include <memory>
#include <string>

namespace kvsbridge {

struct SdpMessageDeleter {
  void operator()(GstSDPMessage* message) const { gst_sdp_message_free(message); }
};
using SdpMessagePtr = std::unique_ptr<GstSDPMessage, SdpMessageDeleter>;

/// Parses and checks a session description of the peer. webrtcbin asserts on several malformed
/// descriptions, so nothing reaches it that did not pass here.
///
/// @param expected_m_lines how many media sections the description must have; 0 accepts 1 to 16
/// @throws MediaError (kBadPeerInput) that names what is wrong
SdpMessagePtr ParseRemoteDescription(const std::string& sdp, unsigned expected_m_lines);

/// True when a media section is closed: it has port 0, yet not because it shares another's port.
bool IsDeclined(const GstSDPMedia* media);

/// What to do with a candidate line of the peer.
enum class CandidateVerdict {
  kUse,
  kEndOfCandidates,  ///< an empty string: the peer has no more
  kUnresolvable,     ///< an mDNS name (`.local`), which only its own link can resolve
};

/// Checks a candidate line. @throws MediaError (kBadPeerInput) that names what is wrong.
CandidateVerdict CheckRemoteCandidate(const std::string& candidate);

}  // namespace kvsbridge
