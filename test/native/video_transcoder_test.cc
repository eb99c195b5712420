// VP8 and VP9 in, H.264 out: every frame, any size, keyframes when wanted, never behind.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "media/gstreamer.h"
#include "media/tracks/transcoder_elements.h"
#include "track_rig.h"

namespace kvsbridge {
namespace {

using testing::DecodedSizes;
using testing::Packets;
using testing::TrackOutput;
using testing::TrackRig;
using testing::VideoPackets;

constexpr unsigned kFrames = 45;

struct Codec {
  const char* name;
  const char* sender;
};

const Codec kVp8 = {"VP8", "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=300 ! rtpvp8pay"};
const Codec kVp9 = {"VP9", "vp9enc deadline=1 cpu-used=8 lag-in-frames=0 ! rtpvp9pay"};

std::string CapsOf(const Codec& codec) {
  return std::string("application/x-rtp,media=video,clock-rate=90000,payload=96,encoding-name=") +
         codec.name;
}

Packets Send(const Codec& codec, const std::string& caps, unsigned frames = kFrames) {
  return VideoPackets(codec.sender, caps, frames);
}

class TranscoderTest : public ::testing::TestWithParam<Codec> {};

TEST_P(TranscoderTest, EveryFrameComesOutAtItsTime) {
  TrackRig rig(CapsOf(GetParam()));
  EXPECT_TRUE(rig.track().transcoded());
  EXPECT_EQ(rig.track().stored_as(), "H264");
  rig.Send(Send(GetParam(), "width=160,height=120"));
  const TrackOutput output = rig.Finish();
  ASSERT_EQ(output.samples.size(), kFrames);
  EXPECT_TRUE(output.dropped.empty());
  for (std::size_t i = 0; i < output.samples.size(); ++i) {
    const auto expected = static_cast<double>(i) * GST_SECOND / 30;
    EXPECT_NEAR(static_cast<double>(output.samples[i].running_time), expected, 1e6) << i;
  }
  // No keyframe but the first: the recorder asks for those that it wants.
  EXPECT_EQ(output.keyframes(), std::vector<std::size_t>{0});
  const auto sizes = DecodedSizes(output.samples);
  EXPECT_EQ(sizes, std::vector<std::string>(kFrames, "160x120"));
}

TEST_P(TranscoderTest, CutsOddSizes) {
  TrackRig rig(CapsOf(GetParam()));
  rig.Send(Send(GetParam(), "width=161,height=121"));
  EXPECT_EQ(DecodedSizes(rig.Finish().samples), std::vector<std::string>(kFrames, "160x120"));
}

TEST_P(TranscoderTest, ANewSizeBeginsWithAKeyframeAndNewParameters) {
  TrackRig rig(CapsOf(GetParam()));
  const Packets packets = Send(GetParam(), "width=160,height=120");
  rig.Send(packets);
  ASSERT_TRUE(rig.WaitForSamples(kFrames));
  rig.Send(testing::Following(packets.back(), Send(GetParam(), "width=322,height=180")));
  const TrackOutput output = rig.Finish();
  ASSERT_EQ(output.samples.size(), 2 * kFrames);
  EXPECT_EQ(output.keyframes(), (std::vector<std::size_t>{0, kFrames}));
  const auto format = [&output](std::size_t index) {
    return ReadVideoFormat(gst_sample_get_caps(output.samples[index].sample.get()));
  };
  ASSERT_TRUE(format(0).has_value());
  ASSERT_TRUE(format(kFrames).has_value());
  EXPECT_EQ(format(kFrames)->width, 322U);
  EXPECT_NE(format(0)->codec_private, format(kFrames)->codec_private);
}

TEST_P(TranscoderTest, MakesKeyframesItselfOnceThereIsAPicture) {
  TrackRig rig(CapsOf(GetParam()));
  rig.track().RequestKeyframe();
  EXPECT_EQ(rig.keyframe_requests(), 1U) << "only the sender can make the first one";
  const Packets packets = Send(GetParam(), "width=160,height=120");
  rig.Send(packets);
  ASSERT_TRUE(rig.WaitForSamples(kFrames));
  const unsigned requests = rig.keyframe_requests();
  EXPECT_TRUE(rig.track().RequestKeyframe());
  rig.Send(testing::Following(packets.back(), Send(GetParam(), "width=160,height=120", 10)));
  EXPECT_EQ(rig.Finish().keyframes(), (std::vector<std::size_t>{0, kFrames}));
  EXPECT_EQ(rig.keyframe_requests(), requests);
}

INSTANTIATE_TEST_SUITE_P(Codecs, TranscoderTest, ::testing::Values(kVp8, kVp9),
                         [](const auto& tested) { return tested.param.name; });

TEST(TranscoderLoadTest, WhatTheMachineHasNoTimeForIsCountedAndEndsAtAKeyframe) {
  TrackRig rig(CapsOf(kVp8));
  // All at once: more than may wait. Nothing is asked of the sender while the queue is full.
  const unsigned frames = 400;
  rig.Send(Send({"VP8", "vp8enc deadline=1 cpu-used=16 keyframe-max-dist=60 ! rtpvp8pay"},
                "width=640,height=480", frames));
  const TrackOutput output = rig.Finish();
  ASSERT_EQ(output.dropped.count("transcoder-too-slow"), 1U);
  EXPECT_EQ(output.samples.size() + output.dropped.at("transcoder-too-slow"), frames);
  EXPECT_EQ(DecodedSizes(output.samples).size(), output.samples.size());
}

TEST(TranscoderLoadTest, APictureOfUnreasonableSizeIsRefused) {
  // A VP8 keyframe's header with 16383x16383, all that it can claim.
  const guint8 frame[] = {0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f, 0, 0, 0, 0};
  std::string packet = {'\x80', '\xe0', 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, '\x10'};
  packet.append(reinterpret_cast<const char*>(frame), sizeof frame);
  TrackRig rig(CapsOf(kVp8));
  auto buffer = BufferPtr::Adopt(gst_buffer_new_memdup(packet.data(), packet.size()));
  GST_BUFFER_PTS(buffer.get()) = 0;
  rig.Send({buffer});
  EXPECT_EQ(rig.Finish().dropped, (std::map<std::string, unsigned>{{"unsupported-size", 1}}));
}

TEST(EncoderTest, KeepsToTheBitrateThatItIsGivenWhileItRuns) {
  InitializeGStreamer();
  auto pipeline = ElementPtr::Sink(gst_pipeline_new("encoder-test"));
  GstElement* source = gst_parse_bin_from_description(
      "videotestsrc pattern=snow num-buffers=180 ! "
      "video/x-raw,format=I420,width=320,height=240,framerate=30/1",
      TRUE, nullptr);
  auto encoder = MakeH264Encoder();
  auto sink = MakeElement("fakesink", "out");
  gst_bin_add_many(GST_BIN(pipeline.get()), source, encoder.get(), sink.get(), nullptr);
  ASSERT_TRUE(gst_element_link_many(source, encoder.get(), sink.get(), nullptr));
  SetEncoderBitrate(encoder.get(), 2'000'000, kNominalFrameRate);
  struct Meter {
    GstElement* encoder;
    unsigned frames = 0;
    gsize early_bytes = 0;
    gsize late_bytes = 0;
  } meter{encoder.get()};
  const auto pad = PadPtr::Adopt(gst_element_get_static_pad(sink.get(), "sink"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer data) {
        auto& read = *static_cast<Meter*>(data);
        const gsize size = gst_buffer_get_size(GST_PAD_PROBE_INFO_BUFFER(info));
        if (++read.frames == 60) SetEncoderBitrate(read.encoder, 500'000, kNominalFrameRate);
        if (read.frames <= 60) read.early_bytes += size;
        if (read.frames > 120) read.late_bytes += size;
        return GST_PAD_PROBE_OK;
      },
      &meter, nullptr);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const auto bus = ObjectPtr<GstBus>::Adopt(gst_element_get_bus(pipeline.get()));
  const auto end = MessagePtr::Adopt(
      gst_bus_timed_pop_filtered(bus.get(), 30 * GST_SECOND,
                                 static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  ASSERT_TRUE(end);
  EXPECT_EQ(GST_MESSAGE_TYPE(end.get()), GST_MESSAGE_EOS);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  // Two seconds of each, in bytes. Noise takes all it may have.
  EXPECT_NEAR(static_cast<double>(meter.early_bytes), 500'000, 150'000);
  EXPECT_NEAR(static_cast<double>(meter.late_bytes), 125'000, 40'000);
}

}  // namespace
}  // namespace kvsbridge
