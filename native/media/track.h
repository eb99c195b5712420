// From a webrtcbin pad to encoded frames that KVS stores.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "glib/ptr.h"
#include "media/frame.h"

namespace kvsbridge {

/// A sample with its running time, as it left a track's last element.
struct TrackSample {
  SamplePtr sample;
  GstClockTime running_time = 0;
};

/// The elements between one webrtcbin pad and one appsink.
///
/// Built, linked and torn down on the loop thread; the handlers run on the streaming
/// thread and must only copy and post.
class Track {
 public:
  struct Handlers {
    std::function<void(TrackSample)> on_sample;
    std::function<void()> on_eos;
    /// Packets were lost: a keyframe is needed before video goes on.
    std::function<void()> on_loss;
    /// A video frame was dropped because it cannot be decoded.
    std::function<void()> on_undecodable;
  };

  /// Builds the elements for the pad's codec inside `pipeline`, links and starts them.
  /// @throws MediaError when the codec is not supported or an element is missing
  static std::unique_ptr<Track> Create(GstBin* pipeline, GstPad* pad, Handlers handlers);
  Track(const Track&) = delete;
  Track& operator=(const Track&) = delete;
  ~Track();

  [[nodiscard]] const std::string& kind() const { return kind_; }
  /// RTP encoding name, such as "H264".
  [[nodiscard]] const std::string& codec() const { return codec_; }

  /// Asks the sender for a keyframe by RTCP PLI. Returns false when the pad is gone.
  bool RequestKeyframe();

  /// Cuts the track off from webrtcbin and sends EOS behind the last packet, so that parser and
  /// encoder give up what they hold; `on_eos` follows.
  void Drain();

 private:
  Track(std::string kind, std::string codec);
  void Build(GstBin* pipeline, const std::vector<ElementPtr>& elements);
  void Link(GstPad* pad);
  /// From now on webrtcbin's pad drops what it gets.
  void Cut();

  std::string kind_;
  std::string codec_;
  std::vector<ElementPtr> elements_;
  PadPtr source_pad_;  ///< webrtcbin's
  PadPtr sink_pad_;    ///< of the first element
  bool cut_ = false;
};

/// Drops all that comes out of `pad`, for good. An unlinked or flushing pad would return an error
/// up to webrtcbin's one network source and so stop every other track.
void DropMedia(GstPad* pad);

/// Kind and codec of a webrtcbin source pad, read from its caps.
struct PadMedia {
  std::string kind;
  std::string codec;
};

/// Reads what a webrtcbin pad carries. @throws MediaError when its caps do not tell.
PadMedia ReadPadMedia(GstPad* pad);

/// The codec configuration in an H.264 sample's caps, or nothing when it is incomplete.
std::optional<VideoFormat> ReadVideoFormat(GstCaps* caps);

}  // namespace kvsbridge
