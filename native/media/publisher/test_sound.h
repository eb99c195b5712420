// The machine-readable part of the test sound.
#pragma once

#include "glib/ptr.h"

namespace kvsbridge {

/// Adds 50 ms of 1 kHz to the S16LE sound that passes `pad`, at every full second of its
/// timestamps: when the test picture flashes. A live source's own ticks count from whenever it was
/// ready.
void AddTicksAt(GstPad* pad, unsigned rate_hz, unsigned channels);

/// Adds a quiet 440 Hz tone to the left channel of the S16LE stereo sound that passes `pad`.
void AddLeftToneAt(GstPad* pad, unsigned rate_hz);

}  // namespace kvsbridge
