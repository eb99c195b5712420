// The AAC-LC encoder and its delay.
#pragma once

#include <cstdint>
#include <string>

#include "glib/ptr.h"

namespace kvsbridge {

/// Creates the encoder. @throws MediaError (kMissingPlugin)
ElementPtr MakeAacEncoder(const std::string& name);

/// By how much sound leaves a decoder later than its frame's timestamp says, because of the
/// encoder's priming samples. Subtract it from the encoder's timestamps.
std::int64_t AacEncoderDelayNs();

}  // namespace kvsbridge
