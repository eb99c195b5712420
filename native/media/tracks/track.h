// From a webrtcbin pad to encoded frames that KVS stores.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "glib/ptr.h"
#include "media/frame.h"
#include "media/tracks/codecs.h"
#include "media/tracks/track_parts.h"

namespace kvsbridge {

/// Kind, codec and stream of a webrtcbin source pad, read from its caps.
struct PadMedia {
  std::string kind;
  std::string codec;
  std::optional<std::uint32_t> ssrc;
};

/// Reads what a webrtcbin pad carries. @throws MediaError when its caps do not tell.
PadMedia ReadPadMedia(GstPad* pad);

/// The elements between one webrtcbin pad and one appsink.
///
/// Built, linked and torn down on the loop thread. What lies between depends on the codec:
/// video_track.h, video_transcoder.h, audio_track.h.
class Track {
 public:
  /// Builds the elements for the pad's codec inside `pipeline`, links and starts them.
  /// @throws MediaError when the codec is not supported or an element is missing
  static std::unique_ptr<Track> Create(GstBin* pipeline, GstPad* pad, AudioMode audio,
                                       const TrackHandlers& handlers);
  Track(const Track&) = delete;
  Track& operator=(const Track&) = delete;
  ~Track();

  [[nodiscard]] const std::string& kind() const { return kind_; }
  /// RTP encoding name, such as "H264".
  [[nodiscard]] const std::string& codec() const { return codec_; }

  /// What is stored, such as "H264" or "AAC".
  [[nodiscard]] const std::string& stored_as() const { return stored_as_; }
  /// True when the media is decoded and encoded again.
  [[nodiscard]] bool transcoded() const { return stored_as_ != codec_; }

  /// Where the sender's frames pass whole and parsed, before any decoder: the place for probes
  /// that watch or drop them, as LossGate does.
  [[nodiscard]] PadPtr coded_pad() const;

  /// Makes a keyframe come: from the encoder where there is one, else from the sender. Returns
  /// false when the pad is gone.
  bool RequestKeyframe(bool fir = false);

  /// Asks the sender for a keyframe by RTCP: PLI, or FIR where that is asked for and was
  /// negotiated. Returns false when the pad is gone.
  bool RequestSenderKeyframe(bool fir = false);

  /// Cuts the track off from webrtcbin and sends EOS behind the last packet, so that parser and
  /// encoder give up what they hold; `on_eos` follows.
  void Drain();

 private:
  Track(PadMedia media, TrackParts parts);
  void Build(GstBin* pipeline);
  void GateLosses(GstPad* packets, const TrackHandlers& handlers) const;
  void Link(GstPad* pad);
  /// From now on webrtcbin's pad drops what it gets.
  void Cut();

  std::string kind_;
  std::string codec_;
  std::string stored_as_;
  std::vector<ElementPtr> elements_;
  ElementPtr coded_;                             ///< gives out the sender's frames
  std::shared_ptr<VideoTranscoder> transcoder_;  ///< null: nothing is encoded again
  PadPtr source_pad_;                            ///< webrtcbin's
  PadPtr sink_pad_;                              ///< of the first element
  bool cut_ = false;
};

/// Drops all that comes out of `pad`, for good. An unlinked or flushing pad would return an error
/// up to webrtcbin's one network source and so stop every other track.
void DropMedia(GstPad* pad);

/// The codec configuration in a video sample's caps, or nothing when it is incomplete.
std::optional<VideoFormat> ReadVideoFormat(GstCaps* caps);

}  // namespace kvsbridge
