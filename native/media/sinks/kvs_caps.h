// Caps that tell kvssink a track's codec and configuration.
#pragma once

#include "media/frame.h"

namespace kvsbridge {

/// One fixed structure, with `codec_data`: kvssink takes the first structure's codec.
CapsPtr KvsVideoCaps(const VideoFormat& format);
/// As KvsVideoCaps. G.711 has no `codec_data`; the element makes it from rate and channels.
CapsPtr KvsAudioCaps(const AudioFormat& format);

}  // namespace kvsbridge
