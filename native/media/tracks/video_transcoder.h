// Video that is decoded and encoded again, as H.264.
#pragma once

#include <deque>
#include <memory>

#include "glib/loop_thread.h"
#include "glib/ptr.h"
#include "media/tracks/bitrate_follower.h"
#include "media/tracks/codecs.h"
#include "media/tracks/track_parts.h"

namespace kvsbridge {

/// Keeps a decoder and an encoder fed, at the right bitrate, and never far behind.
///
///     depay ! [parse] ! decode-queue ! decode ! convert ! crop ! encode-queue ! encode ! out
///
/// Decoder and encoder have a thread each. RTP is never held up: where the machine cannot keep up,
/// frames are dropped before the decode queue, from there to the first keyframe that finds it
/// drained. The encoder makes keyframes when the recorder wants one: the sender is asked for one
/// only after a loss, or when nothing could be decoded yet.
class VideoTranscoder : public std::enable_shared_from_this<VideoTranscoder> {
 public:
  /// Builds the elements. @param codec one that is not stored untouched
  /// @throws MediaError (kMissingPlugin)
  static TrackParts Make(SourceCodec codec, const TrackHandlers& handlers);
  VideoTranscoder(const VideoTranscoder&) = delete;
  VideoTranscoder& operator=(const VideoTranscoder&) = delete;
  ~VideoTranscoder() = default;

  /// Makes the encoder's next picture a keyframe. Loop thread.
  /// @return false when nothing was decoded yet, so that only the sender can help
  bool ForceKeyframe();

 private:
  /// What the threads share.
  struct State {
    std::deque<gint64> waiting;    ///< when each frame entered the decode queue, monotonic µs
    gint64 keyframe_asked_us = 0;  ///< when the sender was last asked to end a drop
    bool dropping = false;         ///< until a keyframe
    bool decode_pending = false;   ///< a frame went into the decoder and nothing came out
    bool has_picture = false;      ///< something came out of it
  };

  VideoTranscoder(SourceCodec codec, TrackHandlers handlers, ElementPtr crop, ElementPtr encoder);
  void Watch(GstElement* queue, GstElement* decoder);

  /// A frame or event on its way into the decode queue; on the thread that receives RTP.
  GstPadProbeReturn OnCoded(GstPad* pad, GstPadProbeInfo* info);
  /// The same on its way into the decoder; from here on the decoder's thread.
  GstPadProbeReturn OnDecoderInput(GstPad* pad, GstPadProbeInfo* info);
  GstPadProbeReturn OnDecoded(GstPad* pad, GstPadProbeInfo* info);

  void OnCodedCaps(GstEvent* event);
  bool EnterQueue(GstPad* pad, GstBuffer* buffer);
  void FitEncoder(GstPadProbeInfo* info);
  void ApplyLimit(const BitrateLimit& limit);

  const TrackHandlers handlers_;
  const ElementPtr crop_;
  const ElementPtr encoder_;
  BitrateFollower follower_;       ///< RTP's thread only
  bool unsupported_size_ = false;  ///< RTP's thread only
  bool started_ = false;           ///< RTP's thread only; a keyframe came
  Guarded<State> state_;
};

}  // namespace kvsbridge
