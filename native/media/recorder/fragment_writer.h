// Puts frames into fragments and epochs of a sink.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "media/recorder/fragment_tags.h"
#include "media/recorder/in_band_sets.h"
#include "media/sinks/sink.h"

namespace kvsbridge {

/// A fragment being written.
struct OpenFragment {
  FragmentTotals totals;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;  ///< where its newest frame ends
};

/// Keeps the nesting that MediaSink asks for, counts, and knows how far the media written reaches.
/// What belongs where is the recorder's decision.
class FragmentWriter {
 public:
  /// What an epoch declares.
  struct Tracks {
    std::shared_ptr<const VideoFormat> video;
    std::shared_ptr<const AudioFormat> audio;
  };

  /// @param sink outlives the writer
  explicit FragmentWriter(MediaSink& sink) : sink_(sink) {}

  /// Begins a fragment, and an epoch when these are not the tracks of the one before.
  void Begin(const Tracks& tracks, std::int64_t start_ns, bool reordered);
  /// @param interval_ns how long the frame is shown
  void WriteVideo(VideoFrame frame, std::int64_t interval_ns);
  void WriteAudio(AudioFrame frame);
  /// @param next_start_ns where the next fragment begins; 0 when none is known to
  void EndFragment(std::int64_t next_start_ns);
  void EndEpoch(std::int64_t next_start_ns);
  void Flush() { sink_.Flush(); }

  /// The next fragment is tagged with the length of the holes before it.
  void AddGap(std::int64_t gap_ms);
  /// The first fragment of all is tagged with its distance from here. @param end_ms Unix epoch
  void ResumeAfter(std::int64_t end_ms) { resumes_after_ms_ = end_ms; }

  [[nodiscard]] FragmentTags& tags() { return tags_; }
  [[nodiscard]] bool HasRoom() const { return sink_.HasRoom(); }
  /// Null between fragments.
  [[nodiscard]] const OpenFragment* fragment() const { return fragment_ ? &*fragment_ : nullptr; }
  /// An open fragment has a video track.
  [[nodiscard]] bool in_video() const { return fragment_ && epoch_->video != nullptr; }
  /// An open fragment has an audio track.
  [[nodiscard]] bool in_audio() const { return fragment_ && epoch_->audio != nullptr; }
  /// The present epoch, with or without an open fragment, declares just these.
  [[nodiscard]] bool Declares(const Tracks& tracks) const;
  /// The present epoch declares audio only.
  [[nodiscard]] bool audio_only() const { return epoch_ && epoch_->video == nullptr; }
  /// How long the open fragment would be if the next one began here. Holes at its end are no part
  /// of it.
  [[nodiscard]] std::int64_t LengthIfNextAt(std::int64_t next_start_ns) const;
  /// Where the next fragment may begin: after everything written so far (KVS error 4004).
  [[nodiscard]] std::int64_t earliest_start_ns() const { return (newest_ms_ + 1) * kNsPerMs; }
  /// The open fragment is the first of all.
  [[nodiscard]] bool in_first_fragment() const { return fragment_ && fragments_ == 1; }

 private:
  [[nodiscard]] std::int64_t EndIfNextAt(std::int64_t next_start_ns) const;
  void TagResumption(std::int64_t timecode_ms);
  void BeginEpoch(const Tracks& tracks, std::int64_t timecode_ms, bool reordered);

  MediaSink& sink_;
  FragmentTags tags_;
  InBandSets sets_;
  std::optional<Epoch> epoch_;
  std::optional<OpenFragment> fragment_;
  std::string described_;    ///< codecs of the epoch before, as in the kvsb-codec tag
  std::int64_t gap_ms_ = 0;  ///< since the last fragment began
  std::int64_t resumes_after_ms_ = 0;
  std::int64_t newest_ms_ = 0;
  std::int64_t last_dts_ns_ = 0;
  unsigned next_epoch_ = 0;
  std::uint64_t fragments_ = 0;
};

}  // namespace kvsbridge
