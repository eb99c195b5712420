// A sink that remembers what it was given and checks every promise of the recorder.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "media/sinks/sink.h"

namespace kvsbridge::testing {

/// A block as a fragment holds it.
struct WrittenBlock {
  bool video = false;
  std::int64_t timecode_ms = 0;
  bool keyframe = false;
  bool silence = false;
  bool sets = false;     ///< parameter sets stand before the picture
  std::uint32_t id = 0;  ///< the content of a video frame's slice
};

struct WrittenFragment {
  unsigned epoch = 0;
  std::int64_t timecode_ms = 0;
  std::vector<WrittenBlock> blocks;
  std::vector<FragmentTag> tags;
  std::optional<FragmentTotals> totals;  ///< set when the fragment ended

  [[nodiscard]] unsigned Count(bool video) const;
};

/// Whatever breaks the contract of MediaSink fails the running test at once.
class RecordingSink final : public MediaSink {
 public:
  void BeginEpoch(const Epoch& epoch) override;
  void BeginFragment(std::int64_t timecode_ms, const std::vector<FragmentTag>& tags) override;
  void WriteVideo(const VideoFrame& frame) override;
  void WriteAudio(const AudioFrame& frame) override;
  void Flush() override { ++flushes_; }
  void EndFragment(const FragmentTotals& totals) override;
  void EndEpoch() override;
  [[nodiscard]] bool HasRoom() const override { return has_room_; }

  void set_has_room(bool has_room) { has_room_ = has_room; }
  [[nodiscard]] const std::vector<WrittenFragment>& fragments() const { return fragments_; }
  [[nodiscard]] const std::vector<Epoch>& epochs() const { return epochs_; }
  [[nodiscard]] unsigned flushes() const { return flushes_; }
  [[nodiscard]] bool is_open() const { return epoch_open_; }
  /// Ids of all video frames written.
  [[nodiscard]] const std::set<std::uint32_t>& video_ids() const { return video_ids_; }
  [[nodiscard]] unsigned silent_frames() const { return silent_frames_; }
  /// Audio frames that are no filled-in silence.
  [[nodiscard]] unsigned heard_frames() const { return heard_frames_; }
  /// Which fragments are shorter than a second, the last one aside.
  [[nodiscard]] const std::vector<std::size_t>& short_fragments() const { return short_fragments_; }
  /// How far any block came behind the newest one before it, over all tracks.
  [[nodiscard]] std::int64_t worst_disorder_ms() const { return worst_disorder_ms_; }

 private:
  void Add(const WrittenBlock& block);

  std::vector<WrittenFragment> fragments_;
  std::vector<Epoch> epochs_;
  std::set<std::uint32_t> video_ids_;
  std::shared_ptr<const VideoFormat> decoder_;  ///< the configuration that a decoder knows
  std::int64_t last_dts_ns_ = 0;
  std::int64_t newest_ms_ = 0;
  std::int64_t newest_audio_ms_ = 0;
  std::int64_t worst_disorder_ms_ = 0;
  unsigned flushes_ = 0;
  unsigned silent_frames_ = 0;
  unsigned heard_frames_ = 0;
  std::vector<std::size_t> short_fragments_;
  bool has_room_ = true;
  bool epoch_open_ = false;
  bool fragment_open_ = false;
};

}  // namespace kvsbridge::testing
