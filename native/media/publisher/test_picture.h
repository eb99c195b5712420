// The machine-readable part of the test picture.
#pragma once

#include <cstdint>

#include "glib/ptr.h"

namespace kvsbridge {

/// Where the frame counter stands in the picture: `kCounterBits` squares in a row from the top left
/// corner, most significant bit first, white for 1. A square for the flash follows them: white on
/// the frame of each full second, when the tone ticks too. Without that frame there is no flash.
constexpr unsigned kCounterBits = 24;
constexpr unsigned kCounterSquare = 16;

/// Numbers the raw I420 pictures that pass `pad`, from `first`, in the picture itself; they may
/// change their size. Numbers begin again at 0 where `kCounterBits` end. All times are moved back
/// by less than a picture, so that one falls on the full second.
void BurnCounterAt(GstPad* pad, unsigned frame_rate, std::uint32_t first);

}  // namespace kvsbridge
