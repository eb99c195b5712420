// What goes wrong in a pipeline, as its elements post it on the bus.
#pragma once

#include <gst/gst.h>

#include <optional>

#include "media/events.h"

namespace kvsbridge {

/// Reads an error or a warning off a bus; nothing of other messages. Any thread.
std::optional<ErrorEvent> ReadBusError(GstMessage* message);

}  // namespace kvsbridge
