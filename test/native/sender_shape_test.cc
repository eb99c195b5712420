// What the test master puts on the wire: each shape is really there.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "media/gstreamer.h"
#include "media/media_error.h"
#include "media/publisher/h264_parameter_sets.h"
#include "media/publisher/sender_faults.h"
#include "media/publisher/test_source.h"
#include "wire.h"

namespace kvsbridge {
namespace {

using testing::Packet;
using testing::Wire;

/// Types of the H.264 NAL units in RTP packets (RFC 6184): single, STAP-A, the first of each FU-A.
std::vector<unsigned> NalTypes(const std::vector<Packet>& packets) {
  std::vector<unsigned> types;
  for (const auto& packet : packets) {
    const std::vector<std::uint8_t>& payload = packet.payload;
    if (payload.size() < 2) continue;
    const unsigned type = payload[0] & 0x1fU;
    if (type == 24) {
      for (std::size_t at = 1; at + 2 < payload.size();) {
        types.push_back(payload[at + 2] & 0x1fU);
        at += 2U + (static_cast<std::size_t>(payload[at]) << 8U | payload[at + 1]);
      }
    } else if (type == 28) {
      if ((payload[1] & 0x80U) != 0) types.push_back(payload[1] & 0x1fU);
    } else {
      types.push_back(type);
    }
  }
  return types;
}

unsigned Count(const std::vector<unsigned>& types, unsigned type) {
  return static_cast<unsigned>(std::count(types.begin(), types.end(), type));
}

TestSourceOptions SmallPicture(const SenderShape& shape = {}) {
  TestSourceOptions options;
  options.width = 480;
  options.height = 270;
  options.video_bitrate_bps = 300'000;
  options.shape = shape;
  return options;
}

constexpr unsigned kIdr = 5;
constexpr unsigned kSei = 6;
constexpr unsigned kSps = 7;
constexpr unsigned kPps = 8;
constexpr unsigned kAud = 9;

class SenderShapeTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { InitializeGStreamer(); }
};

std::vector<Packet> Units(const SenderShape& shape, unsigned units) {
  Wire wire(MakeTestVideo(SmallPicture(shape), 96), "video-pay");
  wire.Start();
  return wire.ReadUnits(units);
}

TEST_F(SenderShapeTest, APlainSenderHasNoneOfThem) {
  const auto packets = Units({}, 10);
  const auto types = NalTypes(packets);
  EXPECT_EQ(Count(types, kIdr), 1U);
  EXPECT_EQ(Count(types, kIdr) + Count(types, 1), 10U) << "one slice in each picture";
  EXPECT_EQ(Count(types, kAud), 0U);
  EXPECT_GE(Count(types, kSps), 1U);
  for (std::size_t i = 1; i < packets.size(); ++i) {
    EXPECT_GE(static_cast<std::int32_t>(packets[i].timestamp - packets[i - 1].timestamp), 0);
  }
}

TEST_F(SenderShapeTest, BFramesAreSentBehindWhatTheyReferTo) {
  SenderShape shape;
  shape.b_frames = true;
  const auto packets = Units(shape, 15);
  unsigned backwards = 0;
  for (std::size_t i = 1; i < packets.size(); ++i) {
    const auto step = static_cast<std::int32_t>(packets[i].timestamp - packets[i - 1].timestamp);
    if (step < 0) ++backwards;
  }
  EXPECT_GE(backwards, 3U);
}

TEST_F(SenderShapeTest, SlicesDelimitersAndSeiAreThere) {
  SenderShape shape;
  shape.slices = true;
  shape.au_sei = true;
  const auto types = NalTypes(Units(shape, 5));
  EXPECT_EQ(Count(types, kIdr) + Count(types, 1), 20U);
  EXPECT_EQ(Count(types, kAud), 5U);
  EXPECT_GE(Count(types, kSei), 5U);
}

TEST_F(SenderShapeTest, OutOfBandParameterSetsAreNeverInBand) {
  SenderShape shape;
  shape.parameter_sets_out_of_band = true;
  Wire wire(MakeTestVideo(SmallPicture(shape), 96), "video-pay");
  wire.Start();
  auto packets = wire.ReadUnits(5);
  wire.RequestKeyframe(true);
  const auto more = wire.ReadUnits(15);
  packets.insert(packets.end(), more.begin(), more.end());
  const auto types = NalTypes(packets);
  EXPECT_EQ(Count(types, kIdr), 2U);
  EXPECT_EQ(Count(types, kSps) + Count(types, kPps), 0U);
  EXPECT_FALSE(wire.CapsField("sprop-parameter-sets").empty());
}

TEST_F(SenderShapeTest, TheVuiIsTakenOutAndNothingElse) {
  SenderShape shape;
  shape.strip_vui = true;
  const auto sps_of = [](const std::vector<Packet>& packets) {
    for (const auto& packet : packets) {
      if ((packet.payload[0] & 0x1fU) == kSps) return packet.payload;
      if ((packet.payload[0] & 0x1fU) != 24 || (packet.payload[3] & 0x1fU) != kSps) continue;
      const std::size_t size =
          static_cast<std::size_t>(packet.payload[1]) << 8U | packet.payload[2];
      return std::vector<std::uint8_t>(packet.payload.begin() + 3,
                                       packet.payload.begin() + 3 + static_cast<long>(size));
    }
    return std::vector<std::uint8_t>();
  };
  const auto plain = sps_of(Units({}, 1));
  const auto stripped = sps_of(Units(shape, 1));
  ASSERT_GT(plain.size(), 8U);
  ASSERT_GT(stripped.size(), 5U);
  EXPECT_LT(stripped.size(), plain.size());
  EXPECT_EQ(SpsWithoutVui(plain), stripped);
  EXPECT_EQ(SpsWithoutVui(stripped), stripped) << "there is nothing left to take out";
}

TEST_F(SenderShapeTest, NoDamagedSpsDoesHarm) {
  std::vector<std::uint8_t> sps{0x67, 0x42, 0xc0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x03};
  for (std::size_t size = 0; size <= sps.size(); ++size) {
    // A stop bit may need a byte that the damaged one lacks.
    EXPECT_LE(SpsWithoutVui(std::span(sps).first(size)).size(), size + 1);
  }
  sps.assign(64, 0);
  sps[0] = 0x67;
  EXPECT_EQ(SpsWithoutVui(sps), sps);
}

TEST_F(SenderShapeTest, KeyframePoliciesAreKept) {
  struct Case {
    KeyframePolicy policy;
    unsigned after_pli;
    unsigned after_fir;
  };
  for (const auto& [policy, after_pli, after_fir] :
       {Case{KeyframePolicy::kOnRequest, 2, 3}, Case{KeyframePolicy::kOnFir, 1, 2},
        Case{KeyframePolicy::kFirstOnly, 1, 1}, Case{KeyframePolicy::kNever, 0, 0}}) {
    SenderShape shape;
    shape.keyframes = policy;
    Wire wire(MakeTestVideo(SmallPicture(shape), 96), "video-pay");
    KeyframeGate gate;
    const auto encoded =
        PadPtr::Adopt(gst_element_get_static_pad(wire.Element("video-pay").get(), "sink"));
    gate.Install(encoded.get(), wire.pay_pad(), policy);
    wire.Start();
    auto types = NalTypes(wire.ReadUnits(3));
    wire.RequestKeyframe(false);
    for (const unsigned type : NalTypes(wire.ReadUnits(12))) types.push_back(type);
    EXPECT_EQ(Count(types, kIdr), after_pli);
    wire.RequestKeyframe(true);
    for (const unsigned type : NalTypes(wire.ReadUnits(12))) types.push_back(type);
    EXPECT_EQ(Count(types, kIdr), after_fir);
    EXPECT_EQ(gate.requests(), 2U);
  }
}

TEST_F(SenderShapeTest, AStepAndANewSsrcShowInThePackets) {
  Wire wire(MakeTestVideo(SmallPicture(), 96), "video-pay");
  ClockFault fault;
  fault.rtp_step_ms = 1'000;
  fault.step_after_ms = 200;
  RtpRewriter rewriter(wire.pay_pad(), 90'000, fault);
  wire.Start();
  const auto packets = wire.ReadUnits(12);
  ASSERT_FALSE(packets.empty());
  // Frames may be late or missing; what the timestamps gain on the capture time is the step alone.
  const auto gain_ms = [&packets](const Packet& packet) {
    const std::uint32_t ticks = packet.timestamp - packets[0].timestamp;
    return ticks / 90.0 - static_cast<double>(packet.pts - packets[0].pts) / GST_MSECOND;
  };
  EXPECT_NEAR(gain_ms(packets[1]), 0, 1);
  EXPECT_NEAR(gain_ms(packets.back()), 1'000, 1);
  rewriter.ChangeSsrc();
  const auto changed = wire.ReadUnits(10);
  ASSERT_FALSE(changed.empty());
  EXPECT_NE(changed.back().ssrc, packets[0].ssrc);
  std::uint32_t last = changed[0].ssrc;
  unsigned changes = 0;
  for (const auto& packet : changed) changes += std::exchange(last, packet.ssrc) != packet.ssrc;
  EXPECT_LE(changes, 1U);
}

TEST_F(SenderShapeTest, ASkewedClockPacesTheStream) {
  // Far more than any device, to be seen within a second.
  const auto clock = MakeSkewedClock(100'000);
  const auto right = ObjectPtr<GstClock>::Adopt(gst_system_clock_obtain());
  const GstClockTime skewed_start = gst_clock_get_time(clock.get());
  const GstClockTime start = gst_clock_get_time(right.get());
  Wire wire(MakeTestVideo(SmallPicture(), 96), "video-pay", clock.get());
  wire.Start();
  wire.ReadUnits(30);
  const auto skewed = static_cast<double>(gst_clock_get_time(clock.get()) - skewed_start);
  const auto elapsed = static_cast<double>(gst_clock_get_time(right.get()) - start);
  EXPECT_NEAR(skewed / elapsed, 1.1, 0.01);
  EXPECT_LT(elapsed, skewed);
}

TEST_F(SenderShapeTest, SenderReportsShowTheFaultyTime) {
  constexpr std::uint64_t kSecond = std::uint64_t{1} << 32U;
  const std::uint64_t first = 3'900'000'000 * kSecond;
  ClockFault fault;
  fault.ntp_skew_ppm = 200;
  EXPECT_EQ(FaultyNtp(fault, first, first), first);
  EXPECT_NEAR(static_cast<double>(FaultyNtp(fault, first, first + 100 * kSecond) - first) / kSecond,
              100.02, 1e-6);
  fault = {};
  fault.ntp_step_ms = -1'000;
  fault.step_after_ms = 5'000;
  EXPECT_EQ(FaultyNtp(fault, first, first + 4 * kSecond), first + 4 * kSecond);
  EXPECT_EQ(FaultyNtp(fault, first, first + 6 * kSecond), first + 5 * kSecond);
}

TEST_F(SenderShapeTest, DtxSendsNextToNothingInSilence) {
  const auto packets_in = [](bool dtx, std::uint32_t ticks) {
    TestSourceOptions options;
    options.shape.opus_dtx = dtx;
    Wire wire(MakeTestAudio(options, 111), "audio-pay");
    wire.Start();
    unsigned count = 0;
    std::optional<std::uint32_t> first;
    while (!HasFailure()) {
      const auto packets = wire.Read(1);
      if (packets.empty()) break;
      if (!first) first = packets[0].timestamp;
      if (packets[0].timestamp - *first > ticks) break;
      ++count;
    }
    return count;
  };
  EXPECT_GT(packets_in(false, 48'000), 48U);
  EXPECT_LT(packets_in(true, 48'000), 40U);
}

TEST_F(SenderShapeTest, EveryInstalledCodecEncodes) {
  struct Case {
    TestVideoCodec codec;
    const char* payloader;
  };
  for (const auto& [codec, payloader] :
       {Case{TestVideoCodec::kH265, "rtph265pay"}, Case{TestVideoCodec::kVp8, "rtpvp8pay"},
        Case{TestVideoCodec::kVp9, "rtpvp9pay"}, Case{TestVideoCodec::kAv1, "rtpav1pay"}}) {
    TestSourceOptions options = SmallPicture();
    options.video_codec = codec;
    if (!HasElement(payloader)) {
      EXPECT_THROW(MakeTestVideo(options, 96), MediaError) << payloader;
      continue;
    }
    const bool odd = codec != TestVideoCodec::kH265;
    options.width = odd ? 481 : 480;
    options.height = odd ? 271 : 270;
    Wire wire(MakeTestVideo(options, 96), "video-pay");
    wire.Start();
    EXPECT_GE(wire.ReadUnits(3).size(), 3U);
    EXPECT_EQ(wire.CapsField("encoding-name"), EncodingName(codec));
  }
  for (const auto codec : {TestAudioCodec::kPcmu, TestAudioCodec::kPcma}) {
    TestSourceOptions options;
    options.audio_codec = codec;
    Wire wire(MakeTestAudio(options, codec == TestAudioCodec::kPcmu ? 0 : 8), "audio-pay");
    wire.Start();
    const auto packets = wire.Read(3);
    ASSERT_EQ(packets.size(), 3U);
    EXPECT_EQ(packets[2].payload.size(), 160U) << "20 ms at 8 kHz";
  }
}

TEST_F(SenderShapeTest, UnfitShapesAreRefused) {
  TestSourceOptions options = SmallPicture();
  options.video_codec = TestVideoCodec::kVp8;
  options.shape.b_frames = true;
  EXPECT_THROW(CheckTestSource(options), MediaError);
  options = SmallPicture();
  options.width = 481;
  EXPECT_THROW(CheckTestSource(options), MediaError);
  options = {};
  options.audio_codec = TestAudioCodec::kPcma;
  options.shape.opus_dtx = true;
  EXPECT_THROW(CheckTestSource(options), MediaError);
}

}  // namespace
}  // namespace kvsbridge
