// The codecs that a master may send, and what this machine can make of them.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "media/media_error.h"

namespace kvsbridge {

/// Video as a master sends it.
enum class SourceCodec { kH264, kH265, kVp8, kVp9, kAv1 };

/// What becomes of the master's sound.
enum class AudioMode {
  kAac,     ///< everything becomes AAC-LC, 48 kHz, stereo
  kSource,  ///< PCMU and PCMA stay as they are, Opus becomes AAC
  kNone,    ///< no sound is asked for
};

/// Every codec, in the order in which they are offered by default: what passes untouched first,
/// then by what decoding costs.
std::vector<SourceCodec> AllSourceCodecs();

/// RTP encoding name, such as "H264".
std::string_view EncodingName(SourceCodec codec);

/// The codec with this RTP encoding name, or nothing.
std::optional<SourceCodec> SourceCodecNamed(std::string_view encoding_name);

/// True when the codec is stored as it comes; the others are encoded again, as H.264.
bool IsStoredUntouched(SourceCodec codec);

/// Leaves out of `wanted` what this machine cannot take, keeping the order.
///
/// @param on_missing told once for each codec that is left out, with the element and its package
/// @throws MediaError (kMissingPlugin) when nothing is left
std::vector<SourceCodec> UsableSourceCodecs(
    const std::vector<SourceCodec>& wanted,
    const std::function<void(const MediaError&)>& on_missing);

}  // namespace kvsbridge
