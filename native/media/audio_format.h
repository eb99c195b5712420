// How an audio track is stored.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "glib/ptr.h"
#include "media/events.h"

namespace kvsbridge {

/// What audio is stored as.
enum class AudioCodec { kAac, kAlaw, kMulaw };

/// Codec configuration of an audio track.
struct AudioFormat {
  AudioCodec codec = AudioCodec::kAac;
  /// AudioSpecificConfig (ISO/IEC 14496-3) for AAC, WAVEFORMATEX for G.711.
  Bytes codec_private;
  unsigned sample_rate = 0;
  unsigned channels = 0;
  std::int64_t frame_duration_ns = 0;  ///< of `silence`, and of a usual frame
  Bytes silence;                       ///< a frame that decodes to silence

  bool operator==(const AudioFormat& other) const {
    return codec == other.codec && codec_private == other.codec_private &&
           sample_rate == other.sample_rate && channels == other.channels;
  }
  bool operator!=(const AudioFormat& other) const { return !(*this == other); }
};

/// AAC-LC as in aac.h. One shared instance.
std::shared_ptr<const AudioFormat> AacFormat();

/// A-law or mu-law (ITU-T G.711) at 8 kHz, mono. @param codec not kAac
std::shared_ptr<const AudioFormat> G711Format(AudioCodec codec);

/// A fresh buffer with the format's silent frame.
BufferPtr SilentFrame(const AudioFormat& format);

/// Name for events: RFC 6381 ("mp4a.40.2") for AAC; "alaw" and "ulaw", which that has no name for.
std::string CodecName(const AudioFormat& format);

}  // namespace kvsbridge
