// What a viewer's offer asks for, as far as the publisher can give it.
#pragma once

#include <optional>
#include <string>

namespace kvsbridge {

/// Payload types of the formats that the publisher can send.
struct OfferedFormats {
  std::optional<unsigned> h264;  ///< packetization mode 1, constrained baseline if offered
  std::optional<unsigned> opus;
};

/// Reads a viewer's offer. @throws MediaError (kBadPeerInput) when it is malformed or has neither.
OfferedFormats ReadOffer(const std::string& sdp);

}  // namespace kvsbridge
