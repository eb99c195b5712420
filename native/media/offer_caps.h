// What the receiver offers to take.
#pragma once

#include "glib/ptr.h"

namespace kvsbridge {

/// H.264, packetization mode 1, in the profiles that browsers and cameras send, each with RTX.
CapsPtr VideoOfferCaps();

/// Opus, stereo.
CapsPtr AudioOfferCaps();

/// True when the peer's description says that it sends audio. Loop thread, after the remote
/// description is set.
bool PeerSendsAudio(GstElement* webrtc);

}  // namespace kvsbridge
