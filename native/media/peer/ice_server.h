// STUN and TURN servers in the form that webrtcbin wants.
#pragma once

#include <string>

#include "media/peer/peer_connection.h"

namespace kvsbridge {

/// Turns `turn:host:port?transport=udp` plus credentials into webrtcbin's
/// `turn://user:password@host:port?transport=udp`, with user and password percent-encoded.
/// @throws MediaError (kOptions) when the URI is not a STUN or TURN URI
std::string ToWebrtcbinUri(const IceServer& server);

}  // namespace kvsbridge
