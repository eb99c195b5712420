// Tells of the frames that a parser swallows because nothing that it could begin with has come.
#pragma once

#include <gst/gst.h>

#include <functional>

namespace kvsbridge {

/// Without parameter sets a parser gives out nothing, and a sender that never sends a keyframe
/// would look like one that sends nothing at all.
///
/// Counts the marker bits that pass `packets`, a source pad of webrtcbin, until the first frame
/// passes `frames`, a pad behind the parser: all but the last of them were swallowed. Install it
/// before any probe that drops frames at the same pad.
/// @param on_swallowed runs on the streaming thread, once a frame; it must only copy and post
void WatchUnparsedFrames(GstPad* packets, GstPad* frames, std::function<void()> on_swallowed);

}  // namespace kvsbridge
