// Video that is stored as it comes.
#pragma once

#include "media/tracks/codecs.h"
#include "media/tracks/track_parts.h"

namespace kvsbridge {

/// Depayloader, parser and sink for H.264 or H.265.
/// @param codec one that is stored untouched. @throws MediaError (kMissingPlugin)
TrackParts MakePassThrough(SourceCodec codec, TrackHandlers handlers);

}  // namespace kvsbridge
