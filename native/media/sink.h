// Where recorded media goes.
#pragma once

#include "media/frame.h"

namespace kvsbridge {

/// Constant codec configuration of a stretch of media.
struct Epoch {
  unsigned number = 0;
  std::int64_t timecode_ms = 0;  ///< of its first keyframe
  std::shared_ptr<const VideoFormat> video;
  bool has_audio = false;  ///< AAC as in aac.h
};

/// Counts of one fragment.
struct FragmentTotals {
  std::int64_t timecode_ms = 0;
  unsigned duration_ms = 0;
  unsigned video_frames = 0;
  unsigned audio_frames = 0;
  unsigned silent_audio_frames = 0;
};

/// Takes epochs of fragments of frames, in that nesting, in timestamp order. Called on the
/// session's loop thread only and never blocks it: PutMedia hands bytes to TypeScript, kvssink
/// queues.
class MediaSink {
 public:
  MediaSink() = default;
  MediaSink(const MediaSink&) = delete;
  MediaSink& operator=(const MediaSink&) = delete;
  virtual ~MediaSink() = default;

  virtual void BeginEpoch(const Epoch& epoch) = 0;
  virtual void BeginFragment(std::int64_t timecode_ms) = 0;
  virtual void WriteVideo(const VideoFrame& frame) = 0;
  virtual void WriteAudio(const AudioFrame& frame) = 0;
  /// Everything written so far may leave now.
  virtual void Flush() = 0;
  virtual void EndFragment(const FragmentTotals& totals) = 0;
  virtual void EndEpoch() = 0;
  /// False when no further fragment fits; media is then dropped until it does.
  [[nodiscard]] virtual bool HasRoom() const = 0;
};

}  // namespace kvsbridge
