#include "recording_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "mkv_parser.h"

namespace kvsbridge::testing {
namespace {

constexpr std::uint32_t kTracks = 0x1654AE6B;
constexpr std::uint32_t kCluster = 0x1F43B675;
constexpr std::uint32_t kTimestamp = 0xE7;
constexpr std::uint32_t kPosition = 0xA7;
constexpr std::uint32_t kTags = 0x1254C367;
constexpr std::uint32_t kCodecPrivate = 0x63A2;
constexpr std::uint32_t kVideo = 0xE0;
constexpr std::uint32_t kPixelWidth = 0xB0;
constexpr std::uint32_t kPixelHeight = 0xBA;
constexpr unsigned kVideoTrack = 1;

class Checker {
 public:
  void operator()(const EpochEvent& event) {
    EXPECT_FALSE(in_epoch_) << "an epoch inside an epoch";
    EXPECT_EQ(event.epoch, recording_.epochs.size());
    in_epoch_ = true;
    const auto elements = ParseMkv(event.header);
    ASSERT_EQ(elements.size(), 4U);
    ASSERT_EQ(elements[3].id, kTracks);
    const auto tracks = elements[3].Children();
    CheckedEpoch epoch;
    epoch.has_audio = tracks.size() == 2;
    EXPECT_EQ(event.audio_codec, epoch.has_audio ? "mp4a.40.2" : "");
    epoch.codec_private = tracks.at(0).Child(kCodecPrivate).data;
    epoch.width = static_cast<unsigned>(tracks[0].Child(kVideo).Child(kPixelWidth).AsUnsigned());
    epoch.height = static_cast<unsigned>(tracks[0].Child(kVideo).Child(kPixelHeight).AsUnsigned());
    EXPECT_EQ(epoch.width, event.width);
    EXPECT_EQ(epoch.height, event.height);
    EXPECT_EQ(event.video_codec.rfind("avc1.", 0), 0U) << event.video_codec;
    EXPECT_GT(event.timecode_ms, newest_ms_);
    recording_.epochs.push_back(std::move(epoch));
  }

  void operator()(const FragmentStartEvent& event) {
    EXPECT_TRUE(in_epoch_);
    EXPECT_FALSE(fragment_) << "a fragment inside a fragment";
    EXPECT_EQ(event.epoch + 1, recording_.epochs.size());
    EXPECT_GT(event.timecode_ms, newest_ms_) << "within what came before it";
    fragment_ = CheckedFragment{event.timecode_ms};
    bytes_.clear();
  }

  void operator()(const MediaDataEvent& event) {
    EXPECT_TRUE(fragment_) << "bytes outside of a fragment";
    EXPECT_FALSE(event.data.empty());
    bytes_.insert(bytes_.end(), event.data.begin(), event.data.end());
  }

  void operator()(const FragmentEndEvent& event) {
    ASSERT_TRUE(fragment_);
    CheckCluster();
    EXPECT_EQ(event.timecode_ms, fragment_->timecode_ms);
    EXPECT_EQ(event.video_frames, fragment_->video_frames);
    EXPECT_EQ(event.audio_frames, fragment_->audio_frames);
    EXPECT_GE(event.video_frames, 1U);
    EXPECT_EQ(event.audio_frames > 0, recording_.epochs.back().has_audio);
    EXPECT_LE(event.silent_audio_frames, event.audio_frames);
    EXPECT_GT(event.duration_ms, 0U);
    fragment_->duration_ms = event.duration_ms;
    fragment_->silent_audio_frames = event.silent_audio_frames;
    recording_.video_frames += event.video_frames;
    recording_.epochs.back().fragments.push_back(*fragment_);
    fragment_.reset();
  }

  void operator()(const EpochEndEvent& event) {
    EXPECT_TRUE(in_epoch_);
    EXPECT_FALSE(fragment_);
    EXPECT_FALSE(recording_.epochs.back().fragments.empty());
    in_epoch_ = false;
    const auto trailer = ParseMkv(event.trailer);
    ASSERT_EQ(trailer.size(), 1U);
    EXPECT_EQ(trailer[0].id, kTags);
  }

  void operator()(const ClosedEvent& /*event*/) { EXPECT_FALSE(std::exchange(closed_, true)); }

  template <typename Other>
  void operator()(const Other& /*event*/) {}

  [[nodiscard]] bool closed() const { return closed_; }
  CheckedRecording Done() {
    EXPECT_TRUE(closed_) << "the session did not close";
    EXPECT_FALSE(in_epoch_) << "the last epoch is open";
    return std::move(recording_);
  }

 private:
  void CheckCluster() {
    auto elements = ParseMkv(bytes_);
    if (elements.at(0).id == kTags) elements.erase(elements.begin());  // of this fragment
    ASSERT_GE(elements.size(), 4U);
    EXPECT_EQ(elements[0].id, kCluster);
    EXPECT_EQ(elements[1].id, kTimestamp);
    EXPECT_EQ(static_cast<std::int64_t>(elements[1].AsUnsigned()), fragment_->timecode_ms);
    EXPECT_EQ(elements[2].id, kPosition);
    for (std::size_t i = 3; i < elements.size(); ++i) {
      const MkvBlock block = ParseSimpleBlock(elements[i]);
      EXPECT_FALSE(block.data.empty());
      EXPECT_GE(block.relative_ms, 0);
      EXPECT_LE(block.relative_ms, 20'000);
      if (i == 3) {
        EXPECT_EQ(block.track, kVideoTrack);
        EXPECT_TRUE(block.keyframe) << "a fragment begins with a delta frame";
        EXPECT_EQ(block.relative_ms, 0);
      }
      const std::int64_t timecode_ms = fragment_->timecode_ms + block.relative_ms;
      newest_ms_ = std::max(newest_ms_, timecode_ms);
      if (block.track == kVideoTrack) {
        ++fragment_->video_frames;
        CheckLengthPrefixes(block.data);
        recording_.video_timecodes_ms.push_back(timecode_ms);
      } else {
        ++fragment_->audio_frames;
      }
    }
  }

  /// An access unit in AVC format is a row of NAL units, each behind its length in four bytes.
  static void CheckLengthPrefixes(const std::vector<std::uint8_t>& unit) {
    std::size_t position = 0;
    while (position + 4 <= unit.size()) {
      std::size_t length = 0;
      for (int i = 0; i < 4; ++i) length = length << 8 | unit[position++];
      position += length;
    }
    EXPECT_EQ(position, unit.size()) << "not an access unit in AVC format";
  }

  CheckedRecording recording_;
  std::optional<CheckedFragment> fragment_;
  std::vector<std::uint8_t> bytes_;
  std::int64_t newest_ms_ = 0;
  bool in_epoch_ = false;
  bool closed_ = false;
};

}  // namespace

unsigned CheckedRecording::silent_audio_frames() const {
  unsigned sum = 0;
  for (const auto& epoch : epochs) {
    for (const auto& fragment : epoch.fragments) sum += fragment.silent_audio_frames;
  }
  return sum;
}

unsigned CheckedRecording::audio_frames() const {
  unsigned sum = 0;
  for (const auto& epoch : epochs) {
    for (const auto& fragment : epoch.fragments) sum += fragment.audio_frames;
  }
  return sum;
}

CheckedRecording CheckRecording(const std::vector<Event>& events) {
  Checker checker;
  for (const auto& event : events) {
    EXPECT_FALSE(checker.closed()) << "an event after the last";
    std::visit(checker, event);
  }
  return checker.Done();
}

}  // namespace kvsbridge::testing
