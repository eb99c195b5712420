// The stored AAC configuration and the frame that stands for silence.
#include "media/aac.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "media/audio_format.h"
#include "media/gstreamer.h"

namespace kvsbridge {
namespace {

TEST(AacTest, CodecPrivateSaysLowComplexityAt48KilohertzInStereo) {
  const Bytes config = AacCodecPrivate();
  ASSERT_EQ(config.size(), 2U);
  const unsigned bits = static_cast<unsigned>(config[0]) << 8 | config[1];
  EXPECT_EQ(bits >> 11, 2U);       // audio object type: AAC-LC
  EXPECT_EQ(bits >> 7 & 0xF, 3U);  // sampling frequency index: 48 kHz
  EXPECT_EQ(bits >> 3 & 0xF, kAacChannels);
}

/// By the name of a decoder.
class SilentFrameTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SilentFrameTest, DecodesToSilence) {
  InitializeGStreamer();
  if (!HasElement(GetParam())) GTEST_SKIP() << GetParam() << " is not installed";
  const auto pipeline = ElementPtr::Sink(gst_parse_launch(
      (std::string("appsrc name=in format=time caps=audio/mpeg,mpegversion=4,stream-format=raw,"
                   "rate=48000,channels=2,framed=true,codec_data=(buffer)1190 ! ") +
       GetParam() +
       " ! audioconvert dithering=none ! audio/x-raw,format=S16LE ! appsink name=out sync=false")
          .c_str(),
      nullptr));
  const auto in = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "in"));
  const auto out = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  constexpr int kFrames = 50;
  for (int i = 0; i < kFrames; ++i) {
    BufferPtr frame = SilentFrame(*AacFormat());
    GST_BUFFER_PTS(frame.get()) = static_cast<GstClockTime>(i * kAacFrameNs);
    gst_app_src_push_buffer(GST_APP_SRC(in.get()), frame.release());
  }
  gst_app_src_end_of_stream(GST_APP_SRC(in.get()));
  std::size_t samples = 0;
  int loudest = 0;
  for (;;) {
    const auto sample =
        SamplePtr::Adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(out.get()), 10 * GST_SECOND));
    if (!sample) break;
    const MappedBuffer mapped(gst_sample_get_buffer(sample.get()));
    const auto* values = reinterpret_cast<const std::int16_t*>(mapped.data());
    const std::size_t count = mapped.size() / sizeof(std::int16_t);
    samples += count / kAacChannels;
    std::for_each(values, values + count,
                  [&](int value) { loudest = std::max(loudest, std::abs(value)); });
  }
  EXPECT_TRUE(gst_app_sink_is_eos(GST_APP_SINK(out.get())));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  EXPECT_GE(samples, (kFrames - 2) * kAacSamplesPerFrame);
  EXPECT_EQ(loudest, 0);
}

INSTANTIATE_TEST_SUITE_P(Decoders, SilentFrameTest, ::testing::Values("avdec_aac", "faad"));

TEST(AacTest, EverySilentFrameIsTheCallersOwn) {
  InitializeGStreamer();
  const BufferPtr first = SilentFrame(*AacFormat());
  const BufferPtr second = SilentFrame(*AacFormat());
  EXPECT_NE(first.get(), second.get());
  EXPECT_TRUE(gst_buffer_is_writable(first.get()));
}

}  // namespace
}  // namespace kvsbridge
