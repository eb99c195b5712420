// Encoded frames on their way from a track to a sink.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "glib/ptr.h"
#include "media/events.h"

namespace kvsbridge {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

/// Codec configuration of a video track. One instance per configuration: a new SPS or PPS makes a
/// new one, and with it a new epoch.
struct VideoFormat {
  Bytes codec_private;  ///< avcC record (ISO/IEC 14496-15)
  unsigned width = 0;
  unsigned height = 0;

  bool operator==(const VideoFormat& other) const {
    return codec_private == other.codec_private && width == other.width && height == other.height;
  }
  bool operator!=(const VideoFormat& other) const { return !(*this == other); }
};

/// RFC 6381 name of an H.264 configuration, such as "avc1.42c01f".
std::string Rfc6381(const VideoFormat& format);

/// One access unit. Times are nanoseconds since the Unix epoch.
struct VideoFrame {
  std::int64_t pts_ns = 0;
  bool keyframe = false;
  std::shared_ptr<const VideoFormat> format;
  BufferPtr data;
  std::int64_t arrived_ns = 0;  ///< monotonic, when it reached the session
};

/// One AAC frame of 1024 samples per channel.
struct AudioFrame {
  std::int64_t pts_ns = 0;
  BufferPtr data;
  bool silence = false;  ///< filled in because the peer sent nothing
};

}  // namespace kvsbridge
