// How the recorder puts sound beside the picture, and silence where there is none.
#include <gtest/gtest.h>

#include "recorder_rig.h"

namespace kvsbridge {
namespace {

using testing::RecorderRig;

class RecorderSoundTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

TEST_F(RecorderSoundTest, InterleavesInTimestampOrder) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  rig.Keyframe(0);
  rig.Stream(33, 5'000, true);
  rig.recorder().Finish();
  EXPECT_LE(rig.sink().worst_disorder_ms(), 0);
  EXPECT_NE(rig.sink().epochs()[0].audio, nullptr);
  EXPECT_GT(rig.fragments()[0].Count(false), 200U);
  // The stream's sound begins with its second frame.
  EXPECT_LE(rig.sink().silent_frames(), 2U);
}

TEST_F(RecorderSoundTest, AudioThatArrivesFirstWaitsForVideo) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  for (int i = 0; i < 200; ++i) rig.Audio(i * 21.334);
  EXPECT_TRUE(rig.fragments().empty());
  rig.now_ms = 4'000;
  rig.Keyframe(4'000);
  rig.recorder().Finish();
  for (const auto& block : rig.fragments().at(0).blocks) {
    EXPECT_GE(block.timecode_ms, RecorderRig::kZeroMs + 4'000);
  }
}

TEST_F(RecorderSoundTest, VideoWaitsForAudioUntilTheHoldIsOver) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  rig.Keyframe(0);
  rig.now_ms = 33;
  const auto id = rig.Video(33);
  rig.now_ms = 33 + 249;
  rig.Tick();
  EXPECT_EQ(rig.sink().video_ids().count(id), 0U);
  rig.now_ms = 33 + 250;
  rig.Tick();
  EXPECT_EQ(rig.sink().video_ids().count(id), 1U);
}

TEST_F(RecorderSoundTest, VideoGoesAtOnceWhenAudioIsThere) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  rig.Keyframe(0);
  rig.Audio(0);
  rig.Audio(21.4);
  const auto id = rig.Video(33);
  EXPECT_EQ(rig.sink().video_ids().count(id), 1U);
}

TEST_F(RecorderSoundTest, FillsMissingAudioWithSilence) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  rig.Keyframe(0);
  rig.Stream(33, 3'000, false);
  rig.recorder().Finish();
  const auto& totals = *rig.fragments().at(0).totals;
  EXPECT_EQ(totals.silent_audio_frames, totals.audio_frames);
  EXPECT_NEAR(totals.audio_frames, 3'000 / 21.334, 3);
}

TEST_F(RecorderSoundTest, FillsAGapInTheSoundAndGoesOnWithIt) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  rig.Keyframe(0);
  rig.Stream(33, 1'000, true);
  const unsigned before = rig.sink().silent_frames();
  rig.Stream(1'023, 2'000, false);
  rig.Stream(2'013, 3'000, true);
  rig.recorder().Finish();
  EXPECT_NEAR(rig.sink().silent_frames() - before, 1'000 / 21.334, 3);
  EXPECT_LE(rig.sink().worst_disorder_ms(), 0);
  EXPECT_NEAR(rig.fragments().at(0).Count(false), 3'000 / 21.334, 4);
}

TEST_F(RecorderSoundTest, DropsAudioThatSilenceAlreadyStandsFor) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  rig.Keyframe(0);
  rig.Stream(33, 1'000, false);
  rig.now_ms = 1'400;
  rig.Tick();
  const unsigned silent = rig.sink().silent_frames();
  EXPECT_GT(silent, 40U);
  for (int i = 0; i < 20; ++i) rig.Audio(i * 21.334);
  rig.recorder().Finish();
  EXPECT_EQ(rig.fragments().at(0).Count(false), rig.sink().silent_frames());
}

TEST_F(RecorderSoundTest, LateAudioNeverLandsBeforeItsFragment) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  rig.Keyframe(0);
  // The hold of the second keyframe ends, silence is written up to it, then its sound arrives.
  rig.now_ms = 1'010;
  rig.Keyframe(1'010);
  rig.now_ms = 1'300;
  rig.Tick();
  ASSERT_EQ(rig.fragments().size(), 2U);
  rig.Audio(1'005);
  rig.Video(1'100);
  rig.now_ms = 1'600;
  rig.Tick();
  rig.recorder().Finish();
  for (const auto& block : rig.fragments()[1].blocks) {
    EXPECT_GE(block.timecode_ms, rig.fragments()[1].timecode_ms);
  }
}

TEST_F(RecorderSoundTest, TheLastFragmentHasBothDeclaredTracksHoweverShort) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  rig.Keyframe(0);
  rig.Stream(33, 1'100, true);
  rig.now_ms = 1'100;
  rig.Keyframe(1'100);
  rig.recorder().Finish();
  ASSERT_EQ(rig.fragments().size(), 2U);
  EXPECT_EQ(rig.fragments()[1].Count(true), 1U);
  EXPECT_EQ(rig.fragments()[1].Count(false), 1U);
}

TEST_F(RecorderSoundTest, AnAppearingAudioTrackBeginsAnEpochAfterASecondAndAsksForItsKeyframe) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 1'000, false);
  rig.Keyframe(1'000);
  rig.Stream(1'033, 1'500, false);
  rig.recorder().ExpectAudio(AacFormat());
  rig.Stream(1'500, 1'900, true);
  rig.Keyframe(1'900);  // too early
  rig.keyframe_requests_ms.clear();
  rig.Stream(1'933, 2'100, true);
  EXPECT_EQ(rig.keyframe_requests_ms.size(), 1U);
  rig.now_ms = 2'100;
  rig.Keyframe(2'100);
  rig.Stream(2'133, 2'400, true);
  rig.recorder().Finish();
  ASSERT_EQ(rig.sink().epochs().size(), 2U);
  EXPECT_EQ(rig.sink().epochs()[0].audio, nullptr);
  EXPECT_NE(rig.sink().epochs()[1].audio, nullptr);
  EXPECT_EQ(rig.fragments()[1].Count(false), 0U);
  EXPECT_EQ(rig.StartOf(2), 2'100);
}

TEST_F(RecorderSoundTest, AVanishingAudioTrackBeginsAnEpochWithoutIt) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  rig.Keyframe(0);
  rig.Stream(33, 500, true);
  rig.recorder().ExpectAudio(nullptr);
  rig.Stream(528, 1'100, false);
  rig.now_ms = 1'100;
  rig.Keyframe(1'100);
  rig.Video(1'133);
  rig.recorder().Finish();
  ASSERT_EQ(rig.sink().epochs().size(), 2U);
  EXPECT_EQ(rig.sink().epochs()[1].audio, nullptr);
}

}  // namespace
}  // namespace kvsbridge
