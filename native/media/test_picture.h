// The machine-readable part of the test picture.
#pragma once

#include <cstdint>

#include "glib/ptr.h"

namespace kvsbridge {

/// Where the frame counter stands in the picture: `kCounterBits` squares in a row from the top left
/// corner, most significant bit first, white for 1. A square for the flash (white on the first
/// frame of each second, when the tone ticks too) follows them.
constexpr unsigned kCounterBits = 24;
constexpr unsigned kCounterSquare = 16;

/// Numbers the raw I420 pictures that pass `pad`, from `first`, in the picture itself; they may
/// change their size. Numbers begin again at 0 where `kCounterBits` end.
void BurnCounterAt(GstPad* pad, std::uint32_t first);

/// Adds a quiet 440 Hz tone to the left channel of the S16LE stereo sound that passes `pad`.
void AddLeftToneAt(GstPad* pad, unsigned rate_hz);

}  // namespace kvsbridge
