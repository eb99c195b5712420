// Sound, as AAC or as the sender coded it.
#pragma once

#include <string>

#include "media/frame.h"
#include "media/tracks/codecs.h"
#include "media/tracks/track_parts.h"

namespace kvsbridge {

/// True when a track of this RTP encoding name ("OPUS", "PCMU", "PCMA") can be taken.
bool IsAudioCodec(const std::string& encoding_name);

/// Throws unless sound in `mode` can be taken on this machine.
/// @throws MediaError (kMissingPlugin)
void RequireAudioElements(AudioMode mode);

/// Depayloader to sink for one of the codecs above.
/// @param mode kAac or kSource
TrackParts MakeAudioTrack(const std::string& encoding_name, AudioMode mode, TrackHandlers handlers);

/// A sample of such a track as a frame. Its `pts_ns` is the offset to add to the sample's time: an
/// encoder's delay.
AudioFrame ReadAudioFrame(GstSample* sample);

}  // namespace kvsbridge
