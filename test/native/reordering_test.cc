// B-frames foretold by what real encoders write into their parameter sets.
#include "media/recorder/reordering.h"

#include <gst/app/gstappsink.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "media/gstreamer.h"
#include "media/tracks/track.h"

namespace kvsbridge {
namespace {

/// The format of what an encoder makes of a few pictures.
VideoFormat Encode(const std::string& encoder, const std::string& caps) {
  InitializeGStreamer();
  const std::string description =
      "videotestsrc num-buffers=8 ! video/x-raw,format=I420,width=320,height=180 ! " + encoder +
      " ! " + caps + " ! appsink name=out sync=false";
  const auto pipeline = ElementPtr::Sink(gst_parse_launch(description.c_str(), nullptr));
  const auto out = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const auto sample =
      SamplePtr::Adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(out.get()), 30 * GST_SECOND));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  const auto format = sample ? ReadVideoFormat(gst_sample_get_caps(sample.get())) : std::nullopt;
  EXPECT_TRUE(format.has_value()) << description;
  return format.value_or(VideoFormat{});
}

VideoFormat EncodeH264(const std::string& settings, const std::string& profile) {
  return Encode("x264enc threads=1 speed-preset=veryfast " + settings + " ! h264parse",
                "video/x-h264,stream-format=avc,alignment=au,profile=" + profile);
}

VideoFormat EncodeH265(const std::string& settings) {
  return Encode("x265enc speed-preset=ultrafast " + settings + " ! h265parse",
                "video/x-h265,stream-format=hvc1,alignment=au");
}

TEST(ReorderingTest, ReadsItFromH264) {
  EXPECT_TRUE(MayReorder(EncodeH264("bframes=2", "main")));
  EXPECT_TRUE(MayReorder(EncodeH264("bframes=2", "high")));
  EXPECT_FALSE(MayReorder(EncodeH264("bframes=0", "main")));
  EXPECT_FALSE(MayReorder(EncodeH264("tune=zerolatency", "constrained-baseline")));
}

TEST(ReorderingTest, ReadsItFromH265) {
  EXPECT_TRUE(MayReorder(EncodeH265("option-string=bframes=2")));
  EXPECT_FALSE(MayReorder(EncodeH265("option-string=bframes=0")));
}

TEST(ReorderingTest, TakesWhatItCannotReadForPossible) {
  EXPECT_TRUE(MayReorder({VideoCodec::kH264, {}, 320, 180}));
  EXPECT_TRUE(MayReorder({VideoCodec::kH265, {}, 320, 180}));
  EXPECT_TRUE(MayReorder(
      {VideoCodec::kH264, {1, 66, 0, 31, 0xFF, 0xE1, 0, 2, 0x67, 66, 1, 0, 1, 0x68}, 320, 180}));
}

}  // namespace
}  // namespace kvsbridge
