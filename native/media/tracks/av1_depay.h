// A depayloader for AV1, which GStreamer's own plugin sets have only in Rust and Debian 12 lacks.
#pragma once

#include <string>

#include "glib/ptr.h"

namespace kvsbridge {

/// Creates the element: `application/x-rtp,encoding-name=AV1` in, whole temporal units out. What a
/// loss leaves undecodable is for a LossGate to drop; after a malformed packet it waits for a
/// keyframe itself, and asks for it.
ElementPtr MakeAv1Depayloader(const std::string& name);

}  // namespace kvsbridge
