// Tracks that come, go and never come; keyframes that do not; B-frames.
#include <gtest/gtest.h>

#include "recorder_rig.h"

namespace kvsbridge {
namespace {

using testing::RecorderRig;

class RecorderTracksTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  /// Sound without a picture.
  static unsigned AudioAlone(RecorderRig& rig, std::int64_t from_ms, std::int64_t to_ms) {
    const std::int64_t step_ms = rig.audio_format->frame_duration_ns / kNsPerMs;
    unsigned frames = 0;
    for (rig.now_ms = from_ms; rig.now_ms < to_ms; rig.now_ms += step_ms) {
      rig.Audio(static_cast<double>(rig.now_ms));
      ++frames;
      rig.Tick();
    }
    return frames;
  }
};

TEST_F(RecorderTracksTest, LosesNothingOfTheSoundWhenThePromisedPictureNeverComes) {
  RecorderRig rig;
  rig.audio_format = G711Format(AudioCodec::kAlaw);
  const unsigned frames = AudioAlone(rig, 0, 9'000);
  rig.recorder().Finish();
  EXPECT_EQ(rig.sink().heard_frames(), frames);
  ASSERT_EQ(rig.sink().epochs().size(), 1U);
  EXPECT_EQ(rig.sink().epochs()[0].video, nullptr);
  EXPECT_EQ(*rig.sink().epochs()[0].audio, *rig.audio_format);
  EXPECT_EQ(rig.StartOf(0), 0);
  EXPECT_EQ(rig.fragments()[0].totals->duration_ms, 1'000U);
  EXPECT_EQ(rig.fragments()[1].totals->duration_ms, 2'000U);
  EXPECT_TRUE(rig.gaps.empty());
}

TEST_F(RecorderTracksTest, BeginsWithoutDelayWhenNoPictureIsPromised) {
  RecorderRig rig;
  rig.recorder().ExpectVideo(false);
  AudioAlone(rig, 0, 1'000);
  EXPECT_EQ(rig.fragments().size(), 1U);
  rig.recorder().Finish();
}

TEST_F(RecorderTracksTest, SoundGoesOnAloneAndThePictureComesBack) {
  RecorderRig rig;
  rig.audio_format = G711Format(AudioCodec::kMulaw);
  rig.recorder().ExpectAudio(rig.audio_format);
  rig.Keyframe(0);
  unsigned sent = AudioAlone(rig, 0, 8'000);
  ASSERT_EQ(rig.sink().epochs().size(), 2U);
  EXPECT_EQ(rig.sink().epochs()[1].video, nullptr);
  rig.now_ms = 8'000;
  rig.Video(8'000);
  EXPECT_EQ(rig.dropped["before-keyframe"], 1U);
  sent += AudioAlone(rig, 8'000, 9'600);
  rig.now_ms = 9'600;
  rig.Keyframe(9'600);
  sent += AudioAlone(rig, 9'600, 10'600);
  rig.recorder().Finish();
  EXPECT_EQ(rig.sink().heard_frames(), sent) << "sound got lost";
  ASSERT_EQ(rig.sink().epochs().size(), 3U);
  EXPECT_NE(rig.sink().epochs()[2].video, nullptr);
  EXPECT_NE(rig.sink().epochs()[2].audio, nullptr);
  EXPECT_TRUE(rig.sink().short_fragments().empty());
  ASSERT_EQ(rig.gaps.size(), 1U);
  EXPECT_EQ(rig.gaps[0].reason, "source-silent");
  EXPECT_EQ(rig.gaps[0].to_ms - RecorderRig::kZeroMs, 9'600);
}

TEST_F(RecorderTracksTest, APictureThatReturnsAfterThreeSecondsLosesNoFrame) {
  for (const bool keyframe : {true, false}) {
    // Sound goes on alone from some time in here on; then only a keyframe can be stored.
    for (std::int64_t back_ms = 4'500; back_ms < (keyframe ? 6'000 : 5'200); back_ms += 20) {
      RecorderRig rig;
      rig.recorder().ExpectAudio(AacFormat());
      rig.Keyframe(0);
      rig.Stream(33, 2'000, true);
      AudioAlone(rig, 2'000, back_ms);
      rig.now_ms = back_ms;
      rig.Video(back_ms, keyframe);
      rig.Stream(back_ms + 33, back_ms + 1'500, true);
      rig.recorder().Finish();
      EXPECT_TRUE(rig.dropped.empty()) << "back after " << back_ms - 2'000 << " ms";
      EXPECT_TRUE(rig.sink().short_fragments().empty());
    }
  }
}

TEST_F(RecorderTracksTest, PicturesThatEndBeforeTheirSoundLeaveAHole) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  rig.Keyframe(0);
  rig.Stream(33, 2'000, true);
  AudioAlone(rig, 2'000, 6'000);
  ASSERT_TRUE(rig.gaps.empty());
  rig.recorder().Finish();
  ASSERT_EQ(rig.gaps.size(), 1U);
  EXPECT_EQ(rig.gaps[0].reason, "source-silent");
  EXPECT_NEAR(static_cast<double>(rig.gaps[0].to_ms - rig.gaps[0].from_ms), 4'000, 60);
}

TEST_F(RecorderTracksTest, PicturesThatWereAgreedAndComeLateLeaveAHole) {
  for (const bool agreed : {false, true}) {
    RecorderRig rig;
    rig.recorder().ExpectVideo(agreed);
    AudioAlone(rig, 0, 10'500);
    rig.Keyframe(10'500);
    rig.recorder().Finish();
    ASSERT_EQ(rig.gaps.size(), agreed ? 1U : 0U);
    if (!agreed) continue;
    EXPECT_EQ(rig.gaps[0].reason, "source-silent");
    EXPECT_EQ(rig.gaps[0].to_ms - rig.gaps[0].from_ms, 10'500);
  }
}

TEST_F(RecorderTracksTest, ShortPausesOfLoneSoundAreFilledAndLongOnesReported) {
  RecorderRig rig;
  rig.audio_format = G711Format(AudioCodec::kMulaw);
  rig.recorder().ExpectVideo(false);
  AudioAlone(rig, 0, 2'000);
  AudioAlone(rig, 2'400, 4'000);  // as Opus DTX leaves
  EXPECT_TRUE(rig.gaps.empty());
  for (; rig.now_ms < 14'000; rig.now_ms += 100) rig.Tick();
  ASSERT_TRUE(rig.fragments().back().totals) << "open although nothing comes";
  const std::size_t before = rig.fragments().size();
  AudioAlone(rig, 14'000, 16'000);
  rig.recorder().Finish();
  EXPECT_GT(rig.fragments().size(), before);
  ASSERT_EQ(rig.gaps.size(), 1U);
  EXPECT_EQ(rig.gaps[0].reason, "source-silent");
  EXPECT_EQ(rig.sink().epochs().size(), 1U);
}

TEST_F(RecorderTracksTest, AsksByFirWhenPliGoesUnansweredThenRaisesAnAlarmThenGivesUp) {
  RecorderRig rig;
  rig.Stream(0, 40'000, false);
  ASSERT_GE(rig.fir_requests_ms.size(), 2U);
  EXPECT_EQ(rig.fir_requests_ms[0], rig.keyframe_requests_ms[2]);
  EXPECT_EQ(rig.fir_requests_ms[1], rig.keyframe_requests_ms[4]);
  ASSERT_GE(rig.overdue_ms.size(), 2U);
  EXPECT_LE(rig.overdue_ms.size(), 4U) << "a flood";
  EXPECT_NEAR(static_cast<double>(rig.overdue_ms[0]), 5'000, 40);
  ASSERT_EQ(rig.no_keyframe_at_ms.size(), 1U);
  EXPECT_NEAR(static_cast<double>(rig.no_keyframe_at_ms[0]), 30'000, 40);
}

TEST_F(RecorderTracksTest, KeepsTheOrderOfBFramesAndTheirTimes) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  // Closed GOPs: I, then P before the two B-frames that are shown before it.
  for (int gop = 0; gop < 4; ++gop) {
    const std::int64_t base_ms = gop * 1'240;
    for (int i = 0; i < 31; ++i) {
      const int shown = i == 0 ? 0 : (i % 3 == 1 ? i + 2 : i - 1);
      rig.now_ms = base_ms + i * 40;
      rig.Video(base_ms + shown * 40, i == 0);
    }
  }
  rig.recorder().Finish();
  ASSERT_EQ(rig.fragments().size(), 4U);
  EXPECT_TRUE(rig.dropped.empty());
  EXPECT_TRUE(rig.gaps.empty());
  for (const auto& fragment : rig.fragments()) {
    std::vector<std::int64_t> shown_ms;
    for (const auto& block : fragment.blocks) {
      if (block.video) shown_ms.push_back(block.timecode_ms - fragment.timecode_ms);
    }
    ASSERT_EQ(shown_ms.size(), 31U);
    EXPECT_EQ((std::vector<std::int64_t>(shown_ms.begin(), shown_ms.begin() + 5)),
              (std::vector<std::int64_t>{0, 120, 40, 80, 240}));
  }
}

TEST_F(RecorderTracksTest, AClockThatJumpsBackDoesNotPinFramesToOneTime) {
  RecorderRig rig;
  rig.Keyframe(60'000);
  for (int i = 0; i < 30; ++i) rig.Video(60'033 + i * 33);
  for (int i = 0; i < 30; ++i) rig.Video(1'000 + i * 33);
  rig.recorder().Finish();
  const auto& blocks = rig.fragments().at(0).blocks;
  ASSERT_EQ(blocks.size(), 61U);
  for (std::size_t i = 1; i < blocks.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(blocks[i].timecode_ms - blocks[i - 1].timecode_ms), 33, 2);
  }
}

}  // namespace
}  // namespace kvsbridge
