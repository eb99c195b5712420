// Decides what goes into which fragment and epoch.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "media/fragment_tags.h"
#include "media/frame.h"
#include "media/sink.h"

namespace kvsbridge {

/// Durations that rule fragments. All media time unless said otherwise.
struct RecorderOptions {
  /// From here on a keyframe is asked for, so that the next fragment can begin.
  std::int64_t target_fragment_ms = 2'000;
  /// A keyframe earlier than this stays inside the fragment (service limit: 1 s).
  std::int64_t min_fragment_ms = 1'000;
  /// A fragment without a following keyframe is cut here (service limit: 20 s).
  std::int64_t max_fragment_ms = 19'000;
  /// How long a keyframe request may stay unanswered before it is repeated, and how long video
  /// waits for a first keyframe before it asks.
  std::int64_t keyframe_retry_ms = 1'000;
  /// How long one track waits for the other before it goes on alone; wall time. Must cover the
  /// jitter buffer, which holds a track back that lost a packet, and the audio encoder.
  std::int64_t interleave_hold_ms = 250;
};

/// Counters of a recorder.
struct RecorderStats {
  std::uint64_t video_frames_received = 0;
  std::uint64_t audio_frames_received = 0;
  std::uint64_t video_bytes_received = 0;
  std::uint64_t video_frames_written = 0;
  std::uint64_t video_frames_dropped = 0;
  std::uint64_t keyframe_requests = 0;
  std::int64_t newest_video_ms = 0;
};

/// Turns two tracks of frames into epochs of fragments in one timestamp order.
///
/// Guarantees to the sink: every fragment begins with a keyframe of its epoch's format, holds at
/// least one frame of each declared track (KVS error 4011 otherwise), and begins after everything
/// the one before it contained (4004 otherwise). Video never waits for audio longer than
/// `interleave_hold_ms`: missing audio becomes silence.
///
/// Runs on the session's loop thread only. Time is handed in, so that tests need no clock.
class Recorder {
 public:
  struct Handlers {
    std::function<void()> request_keyframe;
    std::function<void(unsigned frames, const char* reason)> on_dropped;
  };

  /// @param sink outlives the recorder
  Recorder(const RecorderOptions& options, MediaSink& sink, Handlers handlers);

  /// Keeps a tag with the next fragment, or with every one from the next on; see FragmentTags::Put.
  void PutMetadata(const std::string& name, const std::string& value, bool persistent) {
    tags_.Put(name, value, persistent);
  }

  /// Declares an AAC track from the next epoch on. Called when the peer agreed to send audio.
  void ExpectAudio(bool expected);

  void OnVideo(VideoFrame frame, std::int64_t now_ns);
  void OnAudio(AudioFrame frame, std::int64_t now_ns);
  /// Lets waiting frames go when their hold is over. @param now_ns monotonic
  /// @param wall_now_ns the same moment on the frames' time line (Unix epoch)
  void Tick(std::int64_t now_ns, std::int64_t wall_now_ns);
  /// Writes everything that waits and closes the last fragment and epoch. Idempotent.
  void Finish();

  [[nodiscard]] const RecorderStats& stats() const { return stats_; }

 private:
  struct OpenFragment {
    FragmentTotals totals;
    std::int64_t start_ns = 0;
    std::int64_t end_ns = 0;  ///< where its newest frame ends
  };

  void Interleave(std::int64_t now_ns);
  [[nodiscard]] bool MayWrite(const VideoFrame& frame, std::int64_t now_ns) const;
  void WriteVideo(VideoFrame frame);
  void WriteAudioBefore(std::int64_t limit_ns);
  void WriteAudio(const AudioFrame& frame);
  [[nodiscard]] bool HasPlaceFor(const AudioFrame& frame) const;
  void FillSilence(std::int64_t until_ns);
  void InterleaveBefore(const VideoFrame& frame);
  [[nodiscard]] bool StartsFragment(const VideoFrame& frame) const;
  void KeepOrder(VideoFrame& frame) const;
  void BeginFragment(const VideoFrame& keyframe);
  void EndFragment(std::int64_t next_start_ns);
  void EndEpoch(std::int64_t next_start_ns);
  void CutUntilKeyframe(const char* reason);
  void Drop(const char* reason);
  void MaybeRequestKeyframe(std::int64_t media_ns, std::int64_t now_ns);

  const RecorderOptions options_;
  MediaSink& sink_;
  const Handlers handlers_;

  FragmentTags tags_;
  std::deque<VideoFrame> video_;
  std::deque<AudioFrame> audio_;
  std::unique_ptr<Epoch> epoch_;
  std::unique_ptr<OpenFragment> fragment_;
  RecorderStats stats_;
  unsigned next_epoch_ = 0;
  std::int64_t audio_covered_ns_ = 0;      ///< where the written audio ends
  std::int64_t last_video_ns_ = 0;         ///< newest video frame written
  std::int64_t last_written_ms_ = 0;       ///< newest timecode of any track written
  std::int64_t frame_interval_ns_ = 0;     ///< between the last two video frames
  std::int64_t newest_keyframe_ns_ = 0;    ///< newest keyframe received
  std::int64_t first_timecode_ms_ = 0;     ///< of the first fragment ever
  std::int64_t keyframe_asked_at_ns_ = 0;  ///< monotonic; 0: no request is outstanding
  bool keyframe_wanted_ = true;            ///< nothing can be written, or changed, before one
  bool audio_expected_ = false;
  bool finished_ = false;
};

}  // namespace kvsbridge
