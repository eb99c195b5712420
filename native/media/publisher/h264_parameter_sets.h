// H.264 parameter sets as hardware encoders send them: without VUI, or not in the stream at all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "glib/ptr.h"

namespace kvsbridge {

/// The SPS (a NAL unit without start code) without VUI, see ITU-T H.264, 7.3.2.1.1. One that is cut
/// short, has no VUI or is of a high profile, whose syntax differs, comes back as it is.
std::vector<std::uint8_t> SpsWithoutVui(std::span<const std::uint8_t> sps);

/// Takes SPS and PPS out of each access unit (AVC, 4-byte lengths) that passes `pad`: its caps have
/// them.
void StripParameterSetsAt(GstPad* pad);

/// Applies SpsWithoutVui to each access unit (Annex B, start codes) that passes `pad`.
void StripVuiAt(GstPad* pad);

}  // namespace kvsbridge
