// Where recorded media goes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "media/frame.h"

namespace kvsbridge {

/// Constant codec configuration of a stretch of media. At least one track is declared.
struct Epoch {
  unsigned number = 0;
  std::int64_t timecode_ms = 0;              ///< of its first frame
  std::shared_ptr<const VideoFormat> video;  ///< null: no video track is declared
  std::shared_ptr<const AudioFormat> audio;  ///< null: no audio track is declared
  /// Presentation order may differ from decode order: B-frames were seen before it began, or its
  /// parameter sets allow them.
  bool reordered = false;
};

/// A name and value that the service keeps with a fragment; limits in fragment_tags.h.
struct FragmentTag {
  std::string name;
  std::string value;
};

/// Counts of one fragment.
struct FragmentTotals {
  std::int64_t timecode_ms = 0;
  unsigned duration_ms = 0;
  unsigned video_frames = 0;
  unsigned audio_frames = 0;
  unsigned silent_audio_frames = 0;
};

/// Takes epochs of fragments of frames, in that nesting, in decode order. Called on the session's
/// loop thread only and never blocks it: PutMedia hands bytes to TypeScript, kvssink queues.
class MediaSink {
 public:
  MediaSink() = default;
  MediaSink(const MediaSink&) = delete;
  MediaSink& operator=(const MediaSink&) = delete;
  virtual ~MediaSink() = default;

  virtual void BeginEpoch(const Epoch& epoch) = 0;
  /// @param tags belong to this fragment; at most ten, valid
  virtual void BeginFragment(std::int64_t timecode_ms, const std::vector<FragmentTag>& tags) = 0;
  virtual void WriteVideo(const VideoFrame& frame) = 0;
  virtual void WriteAudio(const AudioFrame& frame) = 0;
  /// Everything written so far may leave now.
  virtual void Flush() = 0;
  virtual void EndFragment(const FragmentTotals& totals) = 0;
  virtual void EndEpoch() = 0;
  /// False when no further fragment fits; media is then dropped until it does.
  [[nodiscard]] virtual bool HasRoom() const = 0;
  /// Calls `done` on the loop when the sink needs it no longer. After the last EndEpoch.
  virtual void Drain(const std::function<void()>& done) { done(); }
};

/// What every sink tells of an epoch; without `header` and `sink`.
EpochEvent DescribeEpoch(const Epoch& epoch);

}  // namespace kvsbridge
