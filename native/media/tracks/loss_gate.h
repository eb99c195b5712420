// Lets no frame pass that cannot be decoded because packets were lost.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "glib/ptr.h"
#include "media/tracks/loss_frames.h"

namespace kvsbridge {

/// Finds gaps in the RTP sequence behind the jitter buffer, where they are final, and drops frames
/// from the first damaged one up to the next whole keyframe.
///
/// A serialized event carries the news from the packets' pad to the frames' pad, so that it arrives
/// between the right frames whatever the elements in between hold back. It names the frame that the
/// gap broke off and the one it cut into by their PTS: these are dropped even if they are
/// keyframes.
class LossGate {
 public:
  struct Handlers {
    /// This many packets are missing at a gap; before the frames behind it.
    std::function<void(unsigned packets)> on_lost;
    /// A keyframe is needed: at the gap, and again every half second while frames are dropped.
    std::function<void()> request_keyframe;
    /// A frame was dropped.
    std::function<void()> on_dropped;
  };

  /// Watches `packets`, a source pad of webrtcbin, and gates `frames`, a pad downstream of it that
  /// sees whole frames with the packets' timestamps: behind the parser, or before the decoder.
  /// The handlers run on streaming threads and must only copy and post.
  ///
  /// Call on the loop while `packets` is blocked and after RtpTap::Attach. The probes stay for as
  /// long as the pads do.
  /// @param codec RTP encoding name, see ReadFrameStart
  static void Install(GstPad* packets, GstPad* frames, const std::string& codec,
                      KeyframeTest is_keyframe, Handlers handlers);
};

}  // namespace kvsbridge
