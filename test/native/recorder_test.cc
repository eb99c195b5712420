// What the recorder puts into which fragment and epoch, one rule at a time.
#include "media/recorder/recorder.h"

#include <gtest/gtest.h>

#include "recorder_rig.h"

namespace kvsbridge {
namespace {

using testing::MakeFormat;
using testing::RecorderRig;

class RecorderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

TEST_F(RecorderTest, DropsFramesBeforeTheFirstKeyframe) {
  RecorderRig rig;
  rig.Video(0);
  rig.Video(33);
  const auto keyframe = rig.Keyframe(66);
  rig.Video(100);
  rig.recorder().Finish();
  ASSERT_EQ(rig.fragments().size(), 1U);
  EXPECT_EQ(rig.StartOf(0), 66);
  EXPECT_EQ(rig.fragments()[0].blocks[0].id, keyframe);
  EXPECT_EQ(rig.dropped["before-keyframe"], 2U);
}

TEST_F(RecorderTest, BeginsAFragmentAtAKeyframeAfterASecond) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 1'000, false);
  rig.Keyframe(1'000);
  rig.Stream(1'033, 1'500, false);
  rig.recorder().Finish();
  ASSERT_EQ(rig.fragments().size(), 2U);
  EXPECT_EQ(rig.StartOf(1), 1'000);
  EXPECT_EQ(rig.fragments()[0].totals->duration_ms, 1'000U);
  EXPECT_EQ(rig.sink().epochs().size(), 1U);
}

TEST_F(RecorderTest, KeepsAnEarlyKeyframeInside) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Keyframe(999);
  rig.Video(1'032);
  rig.Keyframe(2'000);
  rig.recorder().Finish();
  ASSERT_EQ(rig.fragments().size(), 2U);
  EXPECT_EQ(rig.StartOf(1), 2'000);
  EXPECT_EQ(rig.fragments()[0].Count(true), 3U);
}

TEST_F(RecorderTest, AsksForAFirstKeyframeAtOnceAndThenOnceASecond) {
  RecorderRig rig;
  rig.Stream(0, 2'500, false);
  EXPECT_EQ(rig.keyframe_requests_ms, (std::vector<std::int64_t>{0, 1'023, 2'046}));
}

TEST_F(RecorderTest, AsksOnceAtTheTargetAndAgainASecondLater) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 1'000, false);
  rig.now_ms = 1'000;
  rig.Keyframe(1'000);
  rig.keyframe_requests_ms.clear();
  rig.Stream(1'033, 5'200, false);
  ASSERT_EQ(rig.keyframe_requests_ms.size(), 3U);
  EXPECT_GE(rig.keyframe_requests_ms[0], 3'000);  // two seconds after the keyframe
  EXPECT_LT(rig.keyframe_requests_ms[0], 3'040);
  EXPECT_GE(rig.keyframe_requests_ms[1] - rig.keyframe_requests_ms[0], 1'000);
  EXPECT_GE(rig.keyframe_requests_ms[2] - rig.keyframe_requests_ms[1], 1'000);
}

TEST_F(RecorderTest, AsksEarlierInTheFirstFragment) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 1'500, false);
  ASSERT_EQ(rig.keyframe_requests_ms.size(), 1U);
  EXPECT_GE(rig.keyframe_requests_ms[0], 1'000);
  EXPECT_LT(rig.keyframe_requests_ms[0], 1'040);
}

TEST_F(RecorderTest, DoesNotAskAfterAKeyframeCame) {
  RecorderRig rig;
  for (std::int64_t ms = 0; ms < 10'000; ms += 1'000) {
    rig.now_ms = ms;
    rig.Keyframe(ms);
    rig.Stream(ms + 33, ms + 990, false);
  }
  EXPECT_TRUE(rig.keyframe_requests_ms.empty());
}

TEST_F(RecorderTest, ANewConfigurationBeginsAnEpochAtItsKeyframe) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 1'300, false);
  rig.format = MakeFormat(320, 180);
  rig.now_ms = 1'300;
  rig.Keyframe(1'300);
  rig.Stream(1'333, 1'600, false);
  rig.recorder().Finish();
  ASSERT_EQ(rig.sink().epochs().size(), 2U);
  EXPECT_EQ(rig.sink().epochs()[1].video->width, 320U);
  EXPECT_EQ(rig.sink().epochs()[1].timecode_ms, RecorderRig::kZeroMs + 1'300);
  EXPECT_EQ(rig.fragments()[1].epoch, 1U);
  EXPECT_EQ(rig.fragments()[0].totals->duration_ms, 1'300U);
  EXPECT_FALSE(rig.fragments()[1].blocks[0].sets);
  const auto& tags = rig.fragments()[1].tags;
  ASSERT_EQ(tags.size(), 2U);
  EXPECT_EQ(tags[0].name, "kvsb-codec");
  EXPECT_EQ(tags[0].value, "avc1.42c01f 320x180");
  EXPECT_EQ(tags[1].name, "kvsb-epoch");
  EXPECT_EQ(tags[1].value, "1");
}

TEST_F(RecorderTest, AnEarlyNewConfigurationStaysInsideWithItsParameterSets) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 300, false);
  const auto declared = rig.format;
  rig.format = MakeFormat(320, 180);
  const auto changed = rig.Keyframe(300);
  rig.Stream(333, 600, false);
  rig.Keyframe(600);
  rig.keyframe_requests_ms.clear();
  rig.Stream(633, 1'200, false);
  ASSERT_EQ(rig.keyframe_requests_ms.size(), 1U);  // as soon as a fragment may begin
  EXPECT_GE(rig.keyframe_requests_ms[0], 1'000);
  EXPECT_LT(rig.keyframe_requests_ms[0], 1'040);
  rig.Keyframe(1'200);
  rig.recorder().Finish();
  ASSERT_EQ(rig.sink().epochs().size(), 2U);
  EXPECT_EQ(*rig.sink().epochs()[0].video, *declared);
  EXPECT_EQ(rig.sink().epochs()[1].video->width, 320U);
  unsigned with_sets = 0;
  for (const auto& block : rig.fragments()[0].blocks) {
    if (block.sets) ++with_sets;
    EXPECT_TRUE(block.id != changed || block.sets);
  }
  EXPECT_EQ(with_sets, 2U);  // its keyframes, not every picture
}

TEST_F(RecorderTest, GoingBackToTheDeclaredConfigurationRepeatsItsParameterSets) {
  RecorderRig rig;
  const auto declared = rig.format;
  rig.Keyframe(0);
  rig.Video(33);
  rig.format = MakeFormat(320, 180);
  rig.Keyframe(300);
  rig.format = declared;
  rig.Keyframe(600);
  rig.Keyframe(633);
  rig.Stream(666, 1'000, false);
  rig.recorder().Finish();
  const auto& blocks = rig.fragments().at(0).blocks;
  EXPECT_TRUE(blocks[2].sets);
  EXPECT_TRUE(blocks[3].sets);
  EXPECT_FALSE(blocks[4].sets);
  EXPECT_EQ(rig.sink().epochs().size(), 1U);
}

TEST_F(RecorderTest, NewParameterSetsOfADeltaFrameTravelWithIt) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.format = MakeFormat(1280, 730);
  rig.Video(33);
  rig.Video(66);
  rig.recorder().Finish();
  const auto& blocks = rig.fragments().at(0).blocks;
  EXPECT_TRUE(blocks[1].sets);
  EXPECT_FALSE(blocks[2].sets);
}

TEST_F(RecorderTest, TheSameConfigurationInAnotherObjectBeginsNoEpoch) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 2'000, false);
  rig.format = MakeFormat(1280, 720);
  rig.Keyframe(2'000);
  rig.recorder().Finish();
  EXPECT_EQ(rig.sink().epochs().size(), 1U);
  EXPECT_EQ(rig.fragments().size(), 2U);
}

TEST_F(RecorderTest, AFragmentEndsBeforeTheNextEvenWhenTheClockJumpsBack) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 2'000, false);
  rig.format = MakeFormat(320, 180);
  rig.Keyframe(500);  // the sink checks that it is moved behind what was written
  rig.Video(533);
  rig.recorder().Finish();
  EXPECT_EQ(rig.fragments().size(), 2U);
}

TEST_F(RecorderTest, CutsAFragmentAtNineteenSeconds) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 25'000, false);
  EXPECT_EQ(rig.fragments().size(), 1U);
  ASSERT_TRUE(rig.fragments()[0].totals);
  EXPECT_LT(rig.fragments()[0].totals->duration_ms, 19'200U);
  EXPECT_GT(rig.dropped["fragment-too-long"] + rig.dropped["before-keyframe"], 150U);
  rig.Keyframe(25'000);
  EXPECT_EQ(rig.fragments().size(), 2U);
  ASSERT_EQ(rig.gaps.size(), 1U);
  EXPECT_EQ(rig.gaps[0].reason, "fragment-too-long");
  EXPECT_NEAR(static_cast<double>(rig.gaps[0].to_ms - rig.gaps[0].from_ms), 6'000, 50);
}

TEST_F(RecorderTest, EndsAFragmentThatEveryTrackLeftOpen) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 500, false);
  for (; rig.now_ms < 21'000; rig.now_ms += 20) rig.Tick();
  ASSERT_EQ(rig.fragments().size(), 1U);
  ASSERT_TRUE(rig.fragments()[0].totals) << "open for ever once video stops";
  rig.Video(21'000);
  EXPECT_EQ(rig.dropped["before-keyframe"], 1U);
  rig.Keyframe(21'040);
  rig.recorder().Finish();
  EXPECT_EQ(rig.fragments().size(), 2U);
}

TEST_F(RecorderTest, WithoutRoomItDropsAndResumesAtAKeyframe) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 1'500, false);
  rig.sink().set_has_room(false);
  rig.Stream(1'518, 2'500, false);
  EXPECT_EQ(rig.dropped["queue-full"], 30U);
  EXPECT_GE(rig.keyframe_requests_ms.size(), 1U);
  rig.sink().set_has_room(true);
  rig.Video(2'600);
  EXPECT_EQ(rig.dropped["before-keyframe"], 1U);
  rig.Keyframe(2'633);
  rig.recorder().Finish();
  ASSERT_EQ(rig.fragments().size(), 2U);
  EXPECT_EQ(rig.sink().epochs().size(), 1U);
  EXPECT_EQ(rig.StartOf(1), 2'633);
  ASSERT_EQ(rig.gaps.size(), 1U);
  EXPECT_EQ(rig.gaps[0].reason, "queue-full");
  EXPECT_EQ(rig.gaps[0].video_frames_dropped, 31U);
}

TEST_F(RecorderTest, ALossCutsNoFragmentShort) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 300, false);
  for (int i = 0; i < 10; ++i) rig.recorder().OnDropped(1, "undecodable", rig.MonotonicNs());
  rig.now_ms = 700;
  rig.Keyframe(700);
  rig.Stream(733, 1'500, false);
  rig.now_ms = 1'500;
  rig.Keyframe(1'500);
  rig.recorder().Finish();
  ASSERT_EQ(rig.fragments().size(), 2U);
  EXPECT_EQ(rig.StartOf(1), 1'500);
  ASSERT_EQ(rig.gaps.size(), 1U);
  EXPECT_EQ(rig.gaps[0].reason, "loss");
  EXPECT_EQ(rig.gaps[0].video_frames_dropped, 10U);
  ASSERT_FALSE(rig.fragments()[1].tags.empty());
  EXPECT_EQ(rig.fragments()[1].tags[0].name, "kvsb-gap-ms");
}

TEST_F(RecorderTest, AFrameDroppedInPassingHasAGapOfItsLength) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 300, false);
  rig.recorder().OnDropped(1, "undecodable", rig.MonotonicNs());
  rig.Keyframe(363);
  rig.recorder().Finish();
  ASSERT_EQ(rig.gaps.size(), 1U);
  EXPECT_EQ(rig.gaps[0].reason, "loss");
  EXPECT_EQ(rig.gaps[0].video_frames_dropped, 1U);
  EXPECT_NEAR(static_cast<double>(rig.gaps[0].to_ms - rig.gaps[0].from_ms), 33, 1);
}

TEST_F(RecorderTest, HolesThatFollowEachOtherAreListedInFullLength) {
  for (const int frames_between : {1, 2, 3}) {
    RecorderRig rig;
    rig.Keyframe(0);
    rig.Stream(33, 1'500, false);  // the last at 1485
    const std::int64_t between_ms = 2'352;
    rig.Stream(between_ms, between_ms + 33 * frames_between, false);
    const std::int64_t from_ms = between_ms + 33 * frames_between;
    rig.now_ms = from_ms + 800;
    rig.Video(rig.now_ms);
    ASSERT_EQ(rig.gaps.size(), 2U) << frames_between;
    EXPECT_EQ(rig.gaps[0].to_ms - RecorderRig::kZeroMs, between_ms);
    EXPECT_NEAR(static_cast<double>(rig.gaps[1].from_ms - RecorderRig::kZeroMs), from_ms, 2);
    EXPECT_EQ(rig.gaps[1].to_ms - RecorderRig::kZeroMs, from_ms + 800);
  }
}

TEST_F(RecorderTest, ASourceThatBecomesSlowHasNoGapAtEveryFrame) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 1'500, false);
  for (int second = 2; second < 30; ++second) {
    rig.now_ms = second * 1'000;
    rig.Video(rig.now_ms);
  }
  EXPECT_GE(rig.gaps.size(), 1U);
  EXPECT_LE(rig.gaps.size(), 3U);
}

TEST_F(RecorderTest, APauseIsThePausesFaultThoughAFrameOfItIsDamaged) {
  for (const bool damaged_at_its_end : {false, true}) {
    RecorderRig rig;
    rig.Keyframe(0);
    rig.Stream(33, 1'500, false);
    const auto damage = [&rig] {
      rig.recorder().OnLost(2);
      rig.recorder().OnDropped(1, "undecodable", rig.MonotonicNs());
    };
    if (!damaged_at_its_end) damage();
    rig.now_ms = 9'500;
    if (damaged_at_its_end) damage();
    rig.Keyframe(9'500);
    ASSERT_EQ(rig.gaps.size(), 1U);
    EXPECT_EQ(rig.gaps[0].reason, "source-silent");
    EXPECT_EQ(rig.gaps[0].video_frames_dropped, 1U);
  }
}

TEST_F(RecorderTest, AnOutageIsTheNetworksFaultThoughNoFrameOfItIsDamaged) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Stream(33, 1'500, false);
  rig.recorder().OnLost(200);
  rig.now_ms = 4'500;
  rig.Keyframe(4'500);
  ASSERT_EQ(rig.gaps.size(), 1U);
  EXPECT_EQ(rig.gaps[0].reason, "loss");
}

TEST_F(RecorderTest, FinishWritesWhatWaitsAndClosesEverything) {
  RecorderRig rig;
  rig.recorder().ExpectAudio(AacFormat());
  rig.Keyframe(0);
  for (int i = 1; i <= 5; ++i) rig.Video(i * 33);  // waits for audio
  EXPECT_EQ(rig.sink().video_ids().size(), 1U);
  rig.recorder().Finish();
  rig.recorder().Finish();
  EXPECT_EQ(rig.sink().video_ids().size(), 6U);
  EXPECT_FALSE(rig.sink().is_open());
  EXPECT_TRUE(rig.fragments()[0].totals);
  rig.Keyframe(9'000);
  rig.Audio(9'000);
  rig.Tick();
  EXPECT_EQ(rig.fragments().size(), 1U);
}

TEST_F(RecorderTest, FinishWithoutAnythingDoesNothing) {
  RecorderRig rig;
  rig.recorder().Finish();
  EXPECT_TRUE(rig.sink().epochs().empty());
}

TEST_F(RecorderTest, FlushesWhatItWroteWithEachTick) {
  RecorderRig rig;
  rig.Keyframe(0);
  rig.Video(33);
  EXPECT_EQ(rig.sink().flushes(), 0U);
  rig.Tick();
  EXPECT_EQ(rig.sink().flushes(), 1U);
}

TEST_F(RecorderTest, CountsEveryFrame) {
  RecorderRig rig;
  rig.Video(0);
  rig.Keyframe(33);
  rig.Stream(66, 1'000, true);
  rig.recorder().Finish();
  const RecorderStats& stats = rig.recorder().stats();
  EXPECT_EQ(stats.video_frames_received, stats.video_frames_written + stats.video_frames_dropped);
  EXPECT_EQ(stats.video_frames_dropped, 1U);
  EXPECT_EQ(stats.video_bytes_received, stats.video_frames_received * 9);
  EXPECT_GT(stats.audio_frames_received, 40U);
  EXPECT_EQ(stats.newest_video_ms, RecorderRig::kZeroMs + 990);
  EXPECT_EQ(stats.keyframe_requests, rig.keyframe_requests_ms.size());
}

}  // namespace
}  // namespace kvsbridge
