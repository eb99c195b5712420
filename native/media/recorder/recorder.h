// Decides what goes into which fragment and epoch.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "media/frame.h"
#include "media/recorder/audio_lane.h"
#include "media/recorder/decode_clock.h"
#include "media/recorder/fragment_writer.h"
#include "media/recorder/gap_keeper.h"
#include "media/recorder/keyframe_control.h"
#include "media/recorder/lone_audio.h"
#include "media/recorder/recorder_options.h"
#include "media/recorder/step_guard.h"
#include "media/recorder_stats.h"
#include "media/sinks/sink.h"

namespace kvsbridge {

/// Turns up to two tracks of frames into epochs of fragments.
///
/// Guarantees to the sink: every fragment begins after everything the one before it contained (KVS
/// error 4004 otherwise), holds at least one frame of each declared track (4011 otherwise), and
/// lasts 1 to 20 s, except where a source ends. With video it begins with a keyframe, which no
/// later frame precedes in decode or presentation order, of the configuration that the epoch
/// declares. Another configuration in between carries its parameter sets itself, see InBandSets.
///
/// Video waits for audio for at most `interleave_hold_ms`, missing audio becomes silence. Missing
/// video leaves audio alone after `track_timeout_ms`. Holes are reported and tagged.
///
/// Runs on the session's loop thread only. Time is handed in, so that tests need no clock.
class Recorder {
 public:
  struct Handlers {
    /// @param fir by RTCP FIR rather than PLI
    std::function<void(bool fir)> request_keyframe;
    std::function<void(unsigned frames, const char* reason)> on_dropped;
    std::function<void(const GapEvent& gap)> on_gap;
    std::function<void(std::int64_t waited_ms)> on_keyframe_overdue;
    /// Nothing can be stored any more; called once.
    std::function<void()> on_no_keyframe;
  };

  /// @param sink outlives the recorder
  Recorder(const RecorderOptions& options, MediaSink& sink, Handlers handlers);

  /// Whether the peer agreed to send video. Without it audio waits for no picture.
  void ExpectVideo(bool expected) {
    video_expected_ = expected;
    gaps_.ExpectVideo(expected);
  }
  /// Declares an audio track from the next epoch on; null: none. Frames of another format change
  /// it.
  void ExpectAudio(std::shared_ptr<const AudioFormat> format) { audio_format_ = std::move(format); }
  /// Keeps a tag with the next fragment, or with every one from the next on; see FragmentTags::Put.
  void PutMetadata(const std::string& name, const std::string& value, bool persistent) {
    writer_.tags().Put(name, value, persistent);
  }

  void OnVideo(VideoFrame frame, std::int64_t now_ns);
  /// Video frames arrived that never get to OnVideo, such as those that packets are missing for.
  /// @param reason a literal
  void OnDropped(unsigned frames, const char* reason, std::int64_t now_ns);
  /// Packets of video did not come; before the frames behind them.
  void OnLost(unsigned packets) { gaps_.OnLost(packets); }
  void OnAudio(AudioFrame frame, std::int64_t now_ns);
  /// Lets waiting frames go when their hold is over. @param now_ns monotonic
  void Tick(std::int64_t now_ns);
  /// Writes everything that waits and closes the last fragment and epoch. Idempotent.
  void Finish();

  [[nodiscard]] const RecorderStats& stats() const { return stats_; }

 private:
  void Interleave(std::int64_t now_ns);
  void InterleaveBefore(const VideoFrame& frame);
  [[nodiscard]] bool MayWrite(const VideoFrame& frame, std::int64_t now_ns) const;
  [[nodiscard]] std::int64_t AudioLimitOf(const VideoFrame& frame) const;
  [[nodiscard]] bool StartsFragment(const VideoFrame& frame) const;
  void WriteVideo(VideoFrame frame, std::int64_t now_ns);
  [[nodiscard]] const char* ReasonToDrop(const VideoFrame& frame, bool starts) const;
  void BeginVideoFragment(VideoFrame& keyframe);
  void WriteAudioBefore(std::int64_t limit_ns, bool fill);
  [[nodiscard]] std::int64_t FrameIntervalNs() const;
  [[nodiscard]] std::int64_t MaxEndNs() const;

  [[nodiscard]] bool AudioIsAlone(std::int64_t now_ns) const;
  /// Sound waits until there is enough of it for a fragment of its own.
  [[nodiscard]] bool AudioGathers(std::int64_t now_ns) const;
  void TickVideo(std::int64_t audible_ns, std::int64_t now_ns);

  [[nodiscard]] bool NeedsKeyframe(std::int64_t media_ns) const;
  void AskForKeyframe(std::int64_t media_ns, std::int64_t now_ns);
  void Drop(unsigned frames, const char* reason);
  void Report(const GapEvent& gap);

  const RecorderOptions options_;
  const Handlers handlers_;
  FragmentWriter writer_;
  AudioLane audio_;
  DecodeClock decode_clock_;
  GapKeeper gaps_;
  LoneAudio lone_audio_;
  KeyframeControl keyframes_;
  StepGuard video_steps_;
  StepGuard audio_steps_;

  std::deque<VideoFrame> video_;
  std::shared_ptr<const VideoFormat> video_format_;  ///< of the newest frame received
  std::shared_ptr<const AudioFormat> audio_format_;  ///< that the next epoch declares
  RecorderStats stats_;
  std::int64_t last_dts_ns_ = 0;  ///< of the newest video frame written
  /// Between the last video frames, the newest first; 0: not known yet.
  std::array<std::int64_t, 3> frame_distances_ns_{};
  std::int64_t video_arrived_ns_ = 0;  ///< monotonic; newest video frame of any kind
  std::int64_t video_alive_ns_ = 0;    ///< monotonic; since when no video was stored
  bool video_expected_ = true;
  bool await_keyframe_ = true;  ///< frames cannot be decoded before one
  bool keep_leading_ = true;    ///< what the leading pictures refer to is there
  bool finished_ = false;
};

}  // namespace kvsbridge
