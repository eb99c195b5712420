#include "media/tracks/aac_encoder.h"

#include "media/aac.h"
#include "media/gstreamer.h"

namespace kvsbridge {
namespace {

constexpr int kBitrateBps = 96'000;
constexpr gint64 kToleranceNs = 1'000'000;

// Measured by encoding a tone burst and decoding it again. voaacenc comes first: 0.74 of
// avenc_aac's CPU at this bitrate, and libav alone adds 45 MB to the process.
constexpr const char* kPreferred = "voaacenc";
constexpr std::int64_t kPreferredDelaySamples = 1600;
constexpr const char* kFallback = "avenc_aac";
constexpr std::int64_t kFallbackDelaySamples = 1024;

}  // namespace

ElementPtr MakeAacEncoder(const std::string& name) {
  auto encoder = MakeElement(HasElement(kPreferred) ? kPreferred : kFallback, name);
  // By default an encoder goes on counting samples until its input is 40 ms off: it would ignore
  // every correction by which webrtcbin puts sound and picture together.
  g_object_set(encoder.get(), "bitrate", kBitrateBps, "tolerance", kToleranceNs, nullptr);
  return encoder;
}

std::int64_t AacEncoderDelayNs() {
  const std::int64_t samples =
      HasElement(kPreferred) ? kPreferredDelaySamples : kFallbackDelaySamples;
  return samples * 1'000'000'000 / kAacSampleRate;
}

}  // namespace kvsbridge
