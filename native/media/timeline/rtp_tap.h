// Gives every RTP packet of a session its time on the session's time line.
#pragma once

#include <memory>
#include <string>

#include "glib/loop_thread.h"
#include "glib/ptr.h"
#include "media/timeline/rtp_timeline.h"

namespace kvsbridge {

/// Watches packets and sender reports in front of webrtcbin's jitter buffers, and rewrites the
/// packets' timestamps behind them: everything downstream carries the RtpTimeline's time.
///
/// Lets losses be reported at once, too: packets that are sent again in time need no gate.
///
/// That time is pipeline running time: webrtcbin's segments begin at zero, as those of every live
/// source, so that PTS and running time are the same. DTS is left out, since RTP carries none.
///
/// The probes run on streaming threads and share one RtpTimeline under a lock. They outlive this
/// object as far as they need to.
class RtpTap {
 public:
  /// Loop. Before `webrtc` gets its first packet. @param webrtc borrowed
  explicit RtpTap(GstElement* webrtc);

  /// Loop. From now on the packets that leave through `pad`, a source pad of webrtcbin, carry our
  /// time. Call while the pad is still blocked and before other probes that look at timestamps.
  void Attach(GstPad* pad) const;

  using SharedTimeline = std::shared_ptr<Guarded<RtpTimeline>>;

 private:
  const SharedTimeline timeline_;
};

}  // namespace kvsbridge
