#include "media/aac.h"

#include <array>

namespace kvsbridge {

Bytes AacCodecPrivate() { return {0x11, 0x90}; }

BufferPtr SilentAacFrame() {
  // A channel pair element with max_sfb 0 in both channels, then the end element.
  static const std::array<guint8, 6> kSilence = {0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c};
  return BufferPtr::Adopt(gst_buffer_new_memdup(kSilence.data(), kSilence.size()));
}

}  // namespace kvsbridge
