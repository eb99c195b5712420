// What the receiver offers to take.
#pragma once

#include <string_view>
#include <vector>

#include "glib/ptr.h"
#include "media/tracks/codecs.h"

namespace kvsbridge {

/// The codecs in the order given, each format with an RTX payload type of its own. H.264 comes in
/// the profiles that browsers and cameras send, packetization mode 1.
CapsPtr VideoOfferCaps(const std::vector<SourceCodec>& codecs);

/// Opus, stereo; then PCMU and PCMA, which many cameras have and nothing else.
CapsPtr AudioOfferCaps();

/// True when the peer's description says that it sends media of this kind ("video", "audio"). Loop
/// thread, after the remote description is set.
bool PeerSends(GstElement* webrtc, std::string_view kind);

}  // namespace kvsbridge
