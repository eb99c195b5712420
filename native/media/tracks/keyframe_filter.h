// Who may ask the sender for a keyframe.
#pragma once

#include <gst/gst.h>

#include <functional>

namespace kvsbridge {

/// Stops keyframe requests that elements send upstream through `pad` on their own account: a parser
/// without parameter sets asks at every frame. KeyframeControl sees such frames too, and asks in
/// measure.
/// @param pad sink pad of a track's first element; what is sent to its peer itself passes
/// @param on_request told of what was stopped, at most twice a second, on a streaming thread; may
///   be empty
void StopKeyframeRequests(GstPad* pad, std::function<void()> on_request);

}  // namespace kvsbridge
