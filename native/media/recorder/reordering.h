// Whether a stream's pictures may be shown in another order than they are decoded in.
#pragma once

#include "media/frame.h"

namespace kvsbridge {

/// Reads it from the sequence parameter set, before the first frame shows it. True where the set
/// leaves it open: H.264 beyond the baseline profile that tells no number of reordered pictures,
/// H.265 as far as it is not said to be 0, and sets that cannot be read.
bool MayReorder(const VideoFormat& format);

}  // namespace kvsbridge
