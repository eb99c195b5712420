#include "media/aac.h"

namespace kvsbridge {

Bytes AacCodecPrivate() { return {0x11, 0x90}; }

Bytes SilentAac() {
  // A channel pair element with max_sfb 0 in both channels, then the end element.
  return {0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c};
}

}  // namespace kvsbridge
