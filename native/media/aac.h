// The one AAC configuration that the bridge stores: AAC-LC, 48 kHz, stereo.
#pragma once

#include <cstdint>

#include "media/events.h"

namespace kvsbridge {

constexpr unsigned kAacSampleRate = 48'000;
constexpr unsigned kAacChannels = 2;
constexpr unsigned kAacSamplesPerFrame = 1024;
/// Duration of one AAC frame, rounded down: 21.333 ms.
constexpr std::int64_t kAacFrameNs = 1'000'000'000LL * kAacSamplesPerFrame / kAacSampleRate;

/// AudioSpecificConfig (ISO/IEC 14496-3): object type 2, frequency index 3, two channels.
Bytes AacCodecPrivate();

/// One raw AAC-LC stereo frame that decodes to silence.
Bytes SilentAac();

}  // namespace kvsbridge
