// Producer timestamps from RTP time: senders whose clocks are wrong in every way at once.
#include "media/timeline/rtp_timeline.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>

#include "synthetic_sender.h"

namespace kvsbridge {
namespace {

using testing::ErrorsMs;
using testing::JitteryNetwork;
using testing::LargestSkewMs;
using testing::MappedFrame;
using testing::RunSenders;
using testing::SkewedClock;
using testing::SteppedClock;
using testing::SyntheticStream;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMs = 1'000'000;
constexpr std::uint32_t kVideo = 0x11111111;
constexpr std::uint32_t kAudio = 0x22222222;
/// Until then the first reports have come and taken effect.
constexpr std::int64_t kSettled = 8 * kSecond;

SyntheticStream Video() {
  SyntheticStream stream;
  stream.ssrc = kVideo;
  stream.packets_per_frame = 4;
  stream.encode_ns = 15 * kMs;
  stream.first_timestamp = 0xfff00000;  // wraps around after 11 s
  stream.first_sequence = 65'000;
  stream.delay = JitteryNetwork(1, 20 * kMs, 30 * kMs);
  return stream;
}

SyntheticStream Audio() {
  SyntheticStream stream;
  stream.ssrc = kAudio;
  stream.track = "audio";
  stream.clock_rate_hz = 48'000;
  stream.frame_ns = 20 * kMs;
  stream.encode_ns = 3 * kMs;
  stream.first_timestamp = 0x7fffff00;
  stream.first_sequence = 30'000;
  stream.first_report_ns = 900 * kMs;
  stream.delay = JitteryNetwork(2, 20 * kMs, 30 * kMs);
  return stream;
}

void ExpectMonotonic(const std::vector<MappedFrame>& frames) {
  for (std::size_t i = 1; i < frames.size(); ++i) {
    if (frames[i].captured_ns == frames[i - 1].captured_ns) {
      ASSERT_EQ(frames[i].mapped_ns, frames[i - 1].mapped_ns) << "one frame, two times";
    } else {
      ASSERT_GT(frames[i].mapped_ns, frames[i - 1].mapped_ns) << "at " << frames[i].captured_ns;
    }
  }
}

TEST(RtpTimelineTest, AnIdealSenderIsMappedToItsArrival) {
  auto mapped = RunSenders({Video(), Audio()}, 60 * kSecond);
  ExpectMonotonic(mapped[kVideo]);
  ExpectMonotonic(mapped[kAudio]);
  EXPECT_LT(LargestSkewMs(mapped[kVideo], mapped[kAudio], kSettled), 1.0);
  const auto errors = ErrorsMs(mapped[kAudio], kSettled);
  // Sent after 3 ms and 20 ms on the way: the least there is.
  EXPECT_GT(errors.min_ms, 22.0);
  EXPECT_LT(errors.max_ms, 26.0);
}

TEST(RtpTimelineTest, BeforeAnyReportEachStreamGoesByItsArrivals) {
  SyntheticStream video = Video();
  SyntheticStream audio = Audio();
  video.report_every_ns = 0;
  audio.report_every_ns = 0;
  auto mapped = RunSenders({video, audio}, 60 * kSecond);
  ExpectMonotonic(mapped[kVideo]);
  // What the encoder takes remains: without reports nobody can know it.
  EXPECT_NEAR(LargestSkewMs(mapped[kVideo], mapped[kAudio], kSettled), 12.0, 3.0);
}

/// Drift of the media clocks and of the sender's wall clock, in ppm.
class SkewedSenderTest : public ::testing::TestWithParam<std::tuple<double, double, double>> {};

TEST_P(SkewedSenderTest, AnHourDriftsNeitherApartNorAway) {
  const auto [video_ppm, audio_ppm, wall_ppm] = GetParam();
  SyntheticStream video = Video();
  SyntheticStream audio = Audio();
  video.packets_per_frame = 1;
  video.media_clock = SkewedClock(video_ppm);
  audio.media_clock = SkewedClock(audio_ppm);
  video.wall_clock = audio.wall_clock = SkewedClock(wall_ppm);
  auto mapped = RunSenders({video, audio}, 3'600 * kSecond);
  ExpectMonotonic(mapped[kVideo]);
  ExpectMonotonic(mapped[kAudio]);
  EXPECT_LT(LargestSkewMs(mapped[kVideo], mapped[kAudio], kSettled), 3.0);
  const auto errors = ErrorsMs(mapped[kVideo], kSettled);
  EXPECT_GT(errors.min_ms, 15.0);
  EXPECT_LT(errors.max_ms, 30.0);
}

INSTANTIATE_TEST_SUITE_P(Clocks, SkewedSenderTest,
                         ::testing::Values(std::tuple(200.0, 200.0, 200.0),
                                           std::tuple(-200.0, -200.0, -200.0),
                                           std::tuple(200.0, 200.0, 0.0),
                                           std::tuple(-200.0, 200.0, 0.0),
                                           std::tuple(0.0, 0.0, -200.0)));

/// Steps of the NTP clock, the video's RTP clock and the audio's RTP clock, in ms.
class SteppingSenderTest : public ::testing::TestWithParam<std::tuple<int, int, int>> {};

TEST_P(SteppingSenderTest, AStepLeavesNoTrace) {
  const auto [ntp_ms, video_ms, audio_ms] = GetParam();
  SyntheticStream video = Video();
  SyntheticStream audio = Audio();
  video.media_clock = SteppedClock(video.media_clock, 30 * kSecond, video_ms * kMs);
  audio.media_clock = SteppedClock(audio.media_clock, 33 * kSecond, audio_ms * kMs);
  video.wall_clock = SteppedClock(video.wall_clock, 31 * kSecond, ntp_ms * kMs);
  audio.wall_clock = SteppedClock(audio.wall_clock, 34'500 * kMs, ntp_ms * kMs);
  auto mapped = RunSenders({video, audio}, 120 * kSecond);
  ExpectMonotonic(mapped[kVideo]);
  ExpectMonotonic(mapped[kAudio]);
  // Between a step and the next report, arrivals tell by how much: to a few milliseconds.
  EXPECT_LT(LargestSkewMs(mapped[kVideo], mapped[kAudio], kSettled), 20.0);
  EXPECT_LT(LargestSkewMs(mapped[kVideo], mapped[kAudio], 60 * kSecond), 3.0);
  for (const std::uint32_t ssrc : {kVideo, kAudio}) {
    const auto errors = ErrorsMs(mapped[ssrc], kSettled);
    EXPECT_GT(errors.min_ms, 10.0);
    EXPECT_LT(errors.max_ms, 50.0);
  }
}

INSTANTIATE_TEST_SUITE_P(Steps, SteppingSenderTest,
                         ::testing::Values(std::tuple(1'000, 0, 0), std::tuple(-1'000, 0, 0),
                                           std::tuple(0, 1'000, 1'000),
                                           std::tuple(0, -1'000, -1'000), std::tuple(0, 1'000, 0),
                                           std::tuple(0, 0, -1'000),
                                           std::tuple(1'000, 1'000, 1'000),
                                           std::tuple(-1'000, -1'000, -1'000),
                                           std::tuple(3'600'000, 40'000'000, -40'000'000)));

TEST(RtpTimelineTest, NonsenseInReportsChangesNothing) {
  SyntheticStream video = Video();
  SyntheticStream audio = Audio();
  std::mt19937_64 random(7);
  video.tamper = [&random](std::uint64_t) { return random(); };
  std::uint64_t reports = 0;
  audio.tamper = [&reports, &random](std::uint64_t ntp) {
    return ++reports % 3 == 0 ? ntp : reports % 3 == 1 ? 0 : random();
  };
  auto mapped = RunSenders({video, audio}, 300 * kSecond);
  ExpectMonotonic(mapped[kVideo]);
  ExpectMonotonic(mapped[kAudio]);
  EXPECT_LT(LargestSkewMs(mapped[kVideo], mapped[kAudio], kSettled), 40.0);
  EXPECT_LT(ErrorsMs(mapped[kVideo], kSettled).max_ms, 60.0);
  EXPECT_GT(ErrorsMs(mapped[kVideo], kSettled).min_ms, 0.0);
}

TEST(RtpTimelineTest, ABurstAfterAStallKeepsTheCaptureTimes) {
  SyntheticStream video = Video();
  SyntheticStream audio = Audio();
  // Nothing comes through from 20 s to 22 s, then all at once.
  const auto stall = [](std::int64_t t) {
    return t > 20 * kSecond && t < 22 * kSecond ? 22 * kSecond - t + 20 * kMs : 20 * kMs;
  };
  video.delay = stall;
  audio.delay = stall;
  auto mapped = RunSenders({video, audio}, 60 * kSecond);
  ExpectMonotonic(mapped[kVideo]);
  EXPECT_LT(LargestSkewMs(mapped[kVideo], mapped[kAudio], kSettled), 2.0);
  EXPECT_LT(ErrorsMs(mapped[kVideo], kSettled).max_ms, 30.0);
}

TEST(RtpTimelineTest, APauseThatTheSenderDidNotCountIsMadeGood) {
  SyntheticStream video = Video();
  SyntheticStream audio = Audio();
  // Both media clocks stand still for 3 s; nothing is sent meanwhile, as of a suspended sender.
  const auto stands_still = [](std::int64_t t) { return t < 33 * kSecond ? t : t - 3 * kSecond; };
  SyntheticStream video_after = video;
  SyntheticStream audio_after = audio;
  for (SyntheticStream* stream : {&video, &audio}) stream->ends_ns = 30 * kSecond;
  for (SyntheticStream* stream : {&video_after, &audio_after}) {
    stream->begins_ns = 33 * kSecond;
    stream->media_clock = stands_still;
    stream->first_sequence += stream->ssrc == kVideo ? 3'600 + 4 : 1'500;
  }
  auto mapped = RunSenders({video, audio, video_after, audio_after}, 120 * kSecond);
  ExpectMonotonic(mapped[kVideo]);
  ExpectMonotonic(mapped[kAudio]);
  EXPECT_LT(LargestSkewMs(mapped[kVideo], mapped[kAudio], 45 * kSecond), 5.0);
  EXPECT_LT(std::abs(ErrorsMs(mapped[kVideo], 45 * kSecond).min_ms), 60.0);
}

TEST(RtpTimelineTest, AnotherSsrcGoesOnBehindTheFirst) {
  SyntheticStream video = Video();
  video.ends_ns = 30 * kSecond;
  SyntheticStream second = Video();
  second.ssrc = 0x33333333;
  second.begins_ns = 30 * kSecond + 100 * kMs;
  second.first_timestamp = 5;
  second.delay = JitteryNetwork(9, 5 * kMs, 10 * kMs);  // a quicker way: it must not overtake
  auto mapped = RunSenders({video, second, Audio()}, 60 * kSecond);
  std::vector<MappedFrame> all = mapped[kVideo];
  all.insert(all.end(), mapped[second.ssrc].begin(), mapped[second.ssrc].end());
  ExpectMonotonic(all);
  EXPECT_LT(LargestSkewMs(mapped[second.ssrc], mapped[kAudio], 40 * kSecond), 3.0);
}

TEST(RtpTimelineTest, FramesOutOfPresentationOrderKeepTheirPlaces) {
  RtpTimeline timeline;
  timeline.AddStream(kVideo, "video", 90'000);
  // I P B B: decoded 0 3 1 2, shown 0 1 2 3.
  const std::uint32_t order[] = {0, 3, 1, 2, 6, 4, 5, 9, 7, 8};
  std::map<std::uint32_t, std::int64_t> times;
  std::uint16_t sequence = 0;
  for (const std::uint32_t frame : order) {
    timeline.OnArrival(kVideo, sequence, frame * 3'000, sequence * 33 * kMs);
    times[frame] = *timeline.Map(kVideo, sequence, frame * 3'000);
    ++sequence;
  }
  for (std::uint32_t frame = 1; frame < 10; ++frame) {
    EXPECT_NEAR(static_cast<double>(times[frame] - times[frame - 1]) / kMs, 33.3, 3.0);
  }
}

TEST(RtpTimelineTest, UnknownStreamsAndSilentOnesHaveNoTime) {
  RtpTimeline timeline;
  timeline.OnArrival(1, 0, 0, 0);
  timeline.OnSenderReport(1, 1, 0);
  EXPECT_FALSE(timeline.Map(1, 0, 0));
  timeline.AddStream(1, "video", 90'000);
  timeline.OnSenderReport(1, 1, 0);
  EXPECT_FALSE(timeline.Map(1, 0, 0));
}

TEST(RtpTimelineTest, APeerThatChangesItsSsrcForEverIsForgottenInTime) {
  RtpTimeline timeline;
  for (std::uint32_t ssrc = 0; ssrc < 10'000; ++ssrc) {
    timeline.AddStream(ssrc, "video", 90'000);
    timeline.OnArrival(ssrc, 0, ssrc * 7'919, ssrc * kMs);
    EXPECT_TRUE(timeline.Map(ssrc, 0, ssrc * 7'919));
  }
  EXPECT_FALSE(timeline.Map(0, 0, 0));
}

/// Whatever arrives, in whatever order: times of new frames never go back, and nothing overflows.
TEST(RtpTimelineTest, GarbageNeitherGoesBackNorOverflows) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    RtpTimeline timeline;
    timeline.AddStream(kVideo, "video", seed % 2 == 0 ? 8'000 : 90'000);
    std::int64_t now = 0;
    for (unsigned i = 0; i < 2'000; ++i) {
      now += static_cast<std::int64_t>(random() % (60 * kMs));
      const auto sequence = static_cast<std::uint16_t>(random());
      const auto timestamp = static_cast<std::uint32_t>(random());
      timeline.OnArrival(kVideo, sequence, timestamp, now);
      if (i % 10 == 0) timeline.OnSenderReport(kVideo, random(), timestamp);
      const auto mapped = timeline.Map(kVideo, sequence, timestamp);
      ASSERT_TRUE(mapped) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace kvsbridge
