// Encoded frames on their way from a track to a sink.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "glib/ptr.h"
#include "media/audio_format.h"
#include "media/events.h"

namespace kvsbridge {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

/// What video is stored as.
enum class VideoCodec { kH264, kH265 };

/// Codec configuration of a video track. One instance per configuration: a new SPS or PPS makes a
/// new one, and with it a new epoch.
struct VideoFormat {
  VideoCodec codec = VideoCodec::kH264;
  Bytes codec_private;  ///< avcC or hvcC record (ISO/IEC 14496-15)
  unsigned width = 0;
  unsigned height = 0;

  bool operator==(const VideoFormat& other) const {
    return codec == other.codec && codec_private == other.codec_private && width == other.width &&
           height == other.height;
  }
  bool operator!=(const VideoFormat& other) const { return !(*this == other); }
};

/// RFC 6381 name of a configuration, such as "avc1.42c01f" or "hvc1.1.6.L93.90".
std::string Rfc6381(const VideoFormat& format);

/// One access unit, its NAL units behind their lengths. Times are nanoseconds since the Unix epoch.
///
/// Frames travel in decode order, so with B-frames `pts_ns` may go back. `dts_ns` never does; RTP
/// carries none, the recorder sets it before a sink sees the frame.
struct VideoFrame {
  std::int64_t pts_ns = 0;
  std::int64_t dts_ns = 0;
  bool keyframe = false;  ///< decoding may begin here
  bool leading = false;   ///< shown before its keyframe, see PictureTraits
  std::shared_ptr<const VideoFormat> format;
  BufferPtr data;
  std::int64_t arrived_ns = 0;  ///< monotonic, when it reached the session
};

/// One AAC frame, or the G.711 samples of one packet.
struct AudioFrame {
  std::int64_t pts_ns = 0;
  BufferPtr data;
  bool silence = false;  ///< filled in because the peer sent nothing
  std::int64_t duration_ns = 0;
  std::shared_ptr<const AudioFormat> format;
};

}  // namespace kvsbridge
