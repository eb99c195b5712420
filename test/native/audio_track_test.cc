// Sound: G.711 as it is or as AAC, stereo that stays stereo.
#include "media/tracks/audio_track.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "track_rig.h"

namespace kvsbridge {
namespace {

using testing::DecodedSound;
using testing::Packets;
using testing::RecordPackets;
using testing::TrackOutput;
using testing::TrackRig;

struct Law {
  const char* encoding_name;
  const char* encoder;
  const char* payloader;
  AudioCodec stored;
};

const Law kLaws[] = {{"PCMU", "mulawenc", "rtppcmupay pt=0", AudioCodec::kMulaw},
                     {"PCMA", "alawenc", "rtppcmapay pt=8", AudioCodec::kAlaw}};

Packets TonePackets(const Law& law) {
  return RecordPackets(std::string("audiotestsrc num-buffers=50 samplesperbuffer=160 ! "
                                   "audio/x-raw,rate=8000,channels=1 ! ") +
                       law.encoder + " ! " + law.payloader +
                       " min-ptime=20000000 max-ptime=20000000");
}

std::string CapsOf(const Law& law) {
  return std::string("application/x-rtp,media=audio,clock-rate=8000,encoding-name=") +
         law.encoding_name;
}

/// Root mean square of one channel of interleaved stereo.
double Loudness(const std::vector<std::int16_t>& sound, std::size_t channel) {
  double sum = 0;
  for (std::size_t i = channel; i < sound.size(); i += 2) sum += double{1} * sound[i] * sound[i];
  return std::sqrt(sum / (static_cast<double>(sound.size()) / 2));
}

class G711Test : public ::testing::TestWithParam<Law> {};

TEST_P(G711Test, IsStoredByteForByteAsTheSource) {
  const Packets packets = TonePackets(GetParam());
  TrackRig rig(CapsOf(GetParam()), AudioMode::kSource);
  EXPECT_FALSE(rig.track().transcoded());
  rig.Send(packets);
  const TrackOutput output = rig.Finish();
  ASSERT_EQ(output.samples.size(), packets.size());
  constexpr gsize kHeader = 12;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const MappedBuffer sent(packets[i].get());
    const AudioFrame frame = ReadAudioFrame(output.samples[i].sample.get());
    const MappedBuffer stored(frame.data.get());
    ASSERT_EQ(stored.size(), sent.size() - kHeader);
    EXPECT_EQ(memcmp(stored.data(), sent.data() + kHeader, stored.size()), 0);
    EXPECT_EQ(frame.duration_ns, 20'000'000);
    EXPECT_EQ(frame.pts_ns, 0);
    EXPECT_EQ(frame.format->codec, GetParam().stored);
  }
}

TEST_P(G711Test, BecomesAacUnlessToldOtherwise) {
  TrackRig rig(CapsOf(GetParam()), AudioMode::kAac);
  EXPECT_EQ(rig.track().stored_as(), "AAC");
  rig.Send(TonePackets(GetParam()));
  const TrackOutput output = rig.Finish();
  EXPECT_EQ(ReadAudioFrame(output.samples.at(0).sample.get()).format->codec, AudioCodec::kAac);
  const auto sound = DecodedSound(output.samples);
  EXPECT_NEAR(static_cast<double>(sound.size()) / 2 / 48'000, 1.0, 0.1);
  // audiotestsrc's 0.8 of full scale.
  EXPECT_NEAR(Loudness(sound, 0), 0.8 * 32'768 / std::sqrt(2.0), 2'500);
  EXPECT_NEAR(Loudness(sound, 0), Loudness(sound, 1), 10);
}

INSTANTIATE_TEST_SUITE_P(Laws, G711Test, ::testing::ValuesIn(kLaws),
                         [](const auto& tested) { return tested.param.encoding_name; });

TEST(OpusTest, StereoStaysStereoThoughTheSdpDoesNotSaySo) {
  TrackRig rig("application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=111");
  rig.Send(RecordPackets(
      "audiotestsrc num-buffers=50 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 ! "
      "audioconvert ! audio/x-raw,channels=2 ! audiopanorama panorama=-1.0 ! opusenc ! "
      "rtpopuspay"));
  const auto sound = DecodedSound(rig.Finish().samples);
  ASSERT_GT(sound.size(), 48'000U);
  EXPECT_GT(Loudness(sound, 0), 10'000);
  EXPECT_LT(Loudness(sound, 1), 500);
}

TEST(OpusTest, MonoComesOutOfBothSides) {
  TrackRig rig("application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=111");
  rig.Send(RecordPackets(
      "audiotestsrc num-buffers=50 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 ! "
      "opusenc ! rtpopuspay"));
  const auto sound = DecodedSound(rig.Finish().samples);
  ASSERT_GT(sound.size(), 48'000U);
  EXPECT_GT(Loudness(sound, 0), 10'000);
  EXPECT_NEAR(Loudness(sound, 0), Loudness(sound, 1), 10);
}

/// Pauses between the AAC frames of a tone that the sender breaks off, as with DTX: packets are
/// missing, sequence numbers are not.
std::vector<double> FrameStepsMs(GstClockTime pause) {
  const Packets all = RecordPackets(
      "audiotestsrc num-buffers=60 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=2 ! "
      "opusenc ! rtpopuspay");
  const Packets before(all.begin(), all.begin() + 20);
  // The first packet lasts no 20 ms: the decoder skips the encoder's delay in it.
  Packets after = testing::Following(before.back(), {all.begin() + 1, all.end()});
  for (const auto& packet : after) GST_BUFFER_PTS(packet.get()) += pause;
  TrackRig rig("application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=111");
  rig.Send(before);
  rig.Send(after);
  const TrackOutput output = rig.Finish();
  std::vector<double> steps_ms;
  // For the same reason the first step is shorter.
  for (std::size_t i = 2; i < output.samples.size(); ++i) {
    steps_ms.push_back(
        static_cast<double>(output.samples[i].running_time - output.samples[i - 1].running_time) /
        GST_MSECOND);
  }
  return steps_ms;
}

TEST(OpusTest, PausesOfTheSenderLeaveNoHole) {
  constexpr double kFrameMs = 1'024 / 48.0;
  for (const unsigned pause_ms : {5U, 20U, 400U, 1'500U}) {
    const auto steps_ms = FrameStepsMs(pause_ms * GST_MSECOND);
    for (const double step_ms : steps_ms) EXPECT_NEAR(step_ms, kFrameMs, 0.1) << pause_ms;
    // 79 packets of 20 ms; the ones that follow begin 27 ms after the last one ended.
    const double duration_ms = 79 * 20 + 27 + pause_ms;
    EXPECT_NEAR(static_cast<double>(steps_ms.size()) * kFrameMs, duration_ms, 3 * kFrameMs);
  }
}

TEST(OpusTest, LongPausesAreLeftToTheRecorder) {
  const auto steps_ms = FrameStepsMs(10 * GST_SECOND);
  EXPECT_EQ(std::count_if(steps_ms.begin(), steps_ms.end(), [](double ms) { return ms > 9'000; }),
            1);
  EXPECT_LT(steps_ms.size(), 100U);
}

}  // namespace
}  // namespace kvsbridge
