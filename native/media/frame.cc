#include "media/frame.h"

#include <array>
#include <cstdio>

namespace kvsbridge {

std::string Rfc6381(const VideoFormat& format) {
  if (format.codec_private.size() < 4) return "avc1";
  // avcC bytes 1 to 3: profile, constraint flags, level (ISO/IEC 14496-15, 5.3.3.1).
  std::array<char, 16> text = {};
  std::snprintf(text.data(), text.size(), "avc1.%02x%02x%02x", format.codec_private[1],
                format.codec_private[2], format.codec_private[3]);
  return text.data();
}

}  // namespace kvsbridge
