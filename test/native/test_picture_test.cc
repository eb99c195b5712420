// The flash in the test picture, by which tests measure how far sound and picture are apart.
#include "media/publisher/test_picture.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "media/gstreamer.h"

namespace kvsbridge {
namespace {

using Milliseconds = std::vector<GstClockTime>;

bool HasFlash(GstSample* sample) {
  GstVideoInfo info;
  GstVideoFrame frame;
  gst_video_info_from_caps(&info, gst_sample_get_caps(sample));
  gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ);
  const auto* luma = static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
  const bool white = luma[kCounterBits * kCounterSquare] > 128;
  gst_video_frame_unmap(&frame);
  return white;
}

/// When the picture of a source that begins 21 ms late flashes, while the machine has no time for
/// some of the frames.
Milliseconds Flashes(unsigned frame_rate, const std::set<GstClockTime>& without_ms) {
  InitializeGStreamer();
  const auto pipeline = ElementPtr::Sink(gst_parse_launch(
      (std::string("videotestsrc num-buffers=100 timestamp-offset=21000000 ! "
                   "video/x-raw,format=I420,width=480,height=32,"
                   "framerate=") +
       std::to_string(frame_rate) +
       "/1 ! identity name=drop ! identity name=burn ! appsink name=out sync=false")
          .c_str(),
      nullptr));
  const auto pad = [&pipeline](const char* name) {
    const auto element = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
    return PadPtr::Adopt(gst_element_get_static_pad(element.get(), "src"));
  };
  auto without = without_ms;
  gst_pad_add_probe(
      pad("drop").get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer user_data) {
        const auto ms = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)) / GST_MSECOND;
        const auto* drop = static_cast<const std::set<GstClockTime>*>(user_data);
        return drop->count(ms) != 0 ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
      },
      &without, nullptr);
  BurnCounterAt(pad("burn").get(), frame_rate, 0);
  const auto out = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  Milliseconds flashes;
  for (;;) {
    const auto sample = SamplePtr::Adopt(gst_app_sink_pull_sample(GST_APP_SINK(out.get())));
    if (!sample) break;
    if (!HasFlash(sample.get())) continue;
    flashes.push_back(GST_BUFFER_PTS(gst_sample_get_buffer(sample.get())) / GST_MSECOND);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return flashes;
}

TEST(TestPictureTest, FlashesAtEveryFullSecondButTheFirst) {
  EXPECT_EQ(Flashes(30, {}), (Milliseconds{1'000, 2'000, 3'000}));
  EXPECT_EQ(Flashes(15, {}), (Milliseconds{1'000, 2'000, 3'000, 4'000, 5'000, 6'000}));
}

TEST(TestPictureTest, ASecondWhoseFrameIsMissingHasNoFlash) {
  EXPECT_EQ(Flashes(30, {1'021, 1'054}), (Milliseconds{2'000, 3'000}));
  EXPECT_EQ(Flashes(30, {21, 54}), (Milliseconds{1'000, 2'000, 3'000}));
}

}  // namespace
}  // namespace kvsbridge
