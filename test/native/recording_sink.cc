#include "recording_sink.h"

#include <algorithm>
#include <cstring>

namespace kvsbridge::testing {
namespace {

/// The service's limits (PutMedia: fragments of 1 to 20 s) and the recorder's own, in milliseconds.
constexpr std::int64_t kMinFragmentMs = 1'000;
constexpr std::int64_t kMaxFragmentMs = 19'000;
constexpr unsigned kServiceLimitMs = 20'000;

struct Unit {
  bool sets = false;
  std::uint32_t id = 0;
};

/// Splits an access unit of RecorderRig into parameter sets and slice.
Unit Read(const VideoFrame& frame) {
  constexpr unsigned kSps = 7;
  constexpr unsigned kPps = 8;
  const MappedBuffer mapped(frame.data.get());
  Unit unit;
  bool sps = false;
  bool pps = false;
  std::size_t at = 0;
  while (at + 5 <= mapped.size()) {
    const std::size_t length = mapped.data()[at + 3];
    const unsigned type = mapped.data()[at + 4] & 0x1FU;
    if (type == kSps) {
      sps = true;
      EXPECT_EQ(mapped.data()[at + 8], frame.format->height / 10) << "another picture's SPS";
    } else if (type == kPps) {
      pps = true;
    } else {
      EXPECT_EQ(length, 5U);
      std::memcpy(&unit.id, mapped.data() + at + 5, sizeof(unit.id));
    }
    at += 4 + length;
  }
  EXPECT_EQ(at, mapped.size());
  EXPECT_EQ(sps, pps);
  unit.sets = sps && pps;
  return unit;
}

}  // namespace

unsigned WrittenFragment::Count(bool video) const {
  return static_cast<unsigned>(std::count_if(
      blocks.begin(), blocks.end(), [video](const auto& block) { return block.video == video; }));
}

void RecordingSink::BeginEpoch(const Epoch& epoch) {
  EXPECT_FALSE(epoch_open_) << "an epoch began inside another";
  EXPECT_TRUE(epoch.video != nullptr || epoch.audio != nullptr) << "an epoch without tracks";
  EXPECT_EQ(epoch.number, epochs_.size());
  epoch_open_ = true;
  decoder_ = epoch.video;
  epochs_.push_back(epoch);
}

void RecordingSink::BeginFragment(std::int64_t timecode_ms, const std::vector<FragmentTag>& tags) {
  EXPECT_TRUE(epoch_open_) << "a fragment began outside of an epoch";
  EXPECT_FALSE(fragment_open_) << "a fragment began inside another";
  EXPECT_GT(timecode_ms, newest_ms_) << "a fragment began within what was written before it";
  EXPECT_LE(tags.size(), 10U);
  if (!fragments_.empty()) {
    const std::int64_t length_ms = fragments_.back().totals->duration_ms;
    if (length_ms < kMinFragmentMs) short_fragments_.push_back(fragments_.size() - 1);
  }
  fragment_open_ = true;
  WrittenFragment fragment;
  fragment.epoch = epochs_.back().number;
  fragment.timecode_ms = timecode_ms;
  fragment.tags = tags;
  fragments_.push_back(std::move(fragment));
}

void RecordingSink::WriteVideo(const VideoFrame& frame) {
  ASSERT_TRUE(fragment_open_) << "a video frame outside of a fragment";
  ASSERT_NE(epochs_.back().video, nullptr) << "video in an epoch that declares none";
  auto& fragment = fragments_.back();
  const std::int64_t timecode_ms = frame.pts_ns / kNsPerMs;
  const auto [sets, id] = Read(frame);
  if (fragment.blocks.empty()) {
    EXPECT_TRUE(frame.keyframe) << "a fragment begins with a delta frame";
    EXPECT_EQ(timecode_ms, fragment.timecode_ms);
    EXPECT_EQ(*frame.format, *epochs_.back().video) << "not the epoch's codec configuration";
  }
  if (sets) decoder_ = frame.format;
  EXPECT_EQ(*frame.format, *decoder_) << "a configuration that no decoder knows";
  if (frame.keyframe && *frame.format != *epochs_.back().video) {
    EXPECT_TRUE(sets) << "a keyframe that a decoder cannot begin with";
  }
  EXPECT_GE(frame.dts_ns, last_dts_ns_) << "decode times go back";
  last_dts_ns_ = frame.dts_ns;
  EXPECT_TRUE(video_ids_.empty() || id > *video_ids_.rbegin()) << "frames change places";
  EXPECT_TRUE(video_ids_.insert(id).second) << "frame " << id << " is written twice";
  Add({true, timecode_ms, frame.keyframe, false, sets, id});
}

void RecordingSink::WriteAudio(const AudioFrame& frame) {
  ASSERT_TRUE(fragment_open_) << "an audio frame outside of a fragment";
  ASSERT_NE(epochs_.back().audio, nullptr) << "audio in an epoch that declares none";
  EXPECT_EQ(*frame.format, *epochs_.back().audio) << "not the epoch's codec configuration";
  const std::int64_t timecode_ms = frame.pts_ns / kNsPerMs;
  EXPECT_GE(timecode_ms, newest_audio_ms_) << "audio goes back in time";
  newest_audio_ms_ = timecode_ms;
  if (frame.silence) {
    ++silent_frames_;
  } else {
    ++heard_frames_;
  }
  Add({false, timecode_ms, true, frame.silence, false, 0});
}

void RecordingSink::Add(const WrittenBlock& block) {
  auto& fragment = fragments_.back();
  EXPECT_GE(block.timecode_ms, fragment.timecode_ms) << "a block from before its fragment";
  EXPECT_LT(block.timecode_ms - fragment.timecode_ms, kMaxFragmentMs + 1);
  worst_disorder_ms_ = std::max(worst_disorder_ms_, newest_ms_ - block.timecode_ms);
  newest_ms_ = std::max(newest_ms_, block.timecode_ms);
  fragment.blocks.push_back(block);
}

void RecordingSink::EndFragment(const FragmentTotals& totals) {
  ASSERT_TRUE(fragment_open_) << "a fragment ended that had not begun";
  fragment_open_ = false;
  auto& fragment = fragments_.back();
  const unsigned audio = fragment.Count(false);
  if (epochs_.back().video != nullptr) {
    EXPECT_GE(totals.video_frames, 1U) << "a declared track is missing";
  }
  if (epochs_.back().audio != nullptr) {
    EXPECT_GE(totals.audio_frames, 1U) << "a declared track is missing";
  }
  EXPECT_EQ(totals.video_frames, fragment.Count(true));
  EXPECT_EQ(totals.audio_frames, audio);
  EXPECT_EQ(totals.timecode_ms, fragment.timecode_ms);
  EXPECT_LE(totals.silent_audio_frames, totals.audio_frames);
  EXPECT_GT(totals.duration_ms, 0U);
  EXPECT_LT(totals.duration_ms, kServiceLimitMs);
  fragment.totals = totals;
}

void RecordingSink::EndEpoch() {
  EXPECT_TRUE(epoch_open_) << "an epoch ended that had not begun";
  EXPECT_FALSE(fragment_open_) << "an epoch ended with its last fragment open";
  epoch_open_ = false;
}

}  // namespace kvsbridge::testing
