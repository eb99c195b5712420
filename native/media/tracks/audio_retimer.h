// Keeps an audio encoder on the session's time line without disturbing it.
#pragma once

#include "glib/ptr.h"

namespace kvsbridge {

/// Audio encoders and resamplers count samples. Where the sender's clock is off, its timestamps
/// move slowly away from that count; elements let them until 40 ms or more have come together, then
/// begin anew with a click. So they are given timestamps that follow the count exactly, and what
/// was taken off is put back behind them.
///
/// Sound that is missing between two packets, as with Opus DTX, becomes silence before the encoder
/// when it is 15 ms to 2 s: frames of the encoder that begin anew would leave a hole that no frame
/// fits into. Longer gaps are left to the elements.
///
/// @param raw a sink pad for raw audio, the way in @param coded a source pad downstream of it, the
///   way out. The probes stay for as long as the pads do.
void RetimeAudio(GstPad* raw, GstPad* coded);

}  // namespace kvsbridge
