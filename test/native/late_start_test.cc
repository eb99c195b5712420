// Video that begins in the middle: what comes before the first keyframe is counted, and the sender
// is not flooded with requests.
#include <gst/rtp/rtp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "track_rig.h"

namespace kvsbridge {
namespace {

using testing::Packets;
using testing::TrackOutput;
using testing::TrackRig;

struct Codec {
  const char* name;
  const char* sender;
};

constexpr unsigned kFrames = 60;

bool EndsFrame(const BufferPtr& packet) {
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  gst_rtp_buffer_map(packet.get(), GST_MAP_READ, &rtp);
  const bool marker = gst_rtp_buffer_get_marker(&rtp) == TRUE;
  gst_rtp_buffer_unmap(&rtp);
  return marker;
}

class LateStartTest : public ::testing::TestWithParam<Codec> {
 protected:
  static Packets Record(unsigned frames) {
    return testing::VideoPackets(GetParam().sender, "width=160,height=120", frames);
  }
  /// Without the keyframe at its begin.
  static Packets RecordTail() {
    Packets packets = Record(kFrames + 1);
    packets.erase(packets.begin(), std::find_if(packets.begin(), packets.end(), EndsFrame) + 1);
    return packets;
  }
  static std::string Caps() {
    return std::string("application/x-rtp,media=video,clock-rate=90000,payload=96,encoding-name=") +
           GetParam().name;
  }
};

TEST_P(LateStartTest, CountsEveryFrameOfAStreamThatNeverStarts) {
  TrackRig rig(Caps());
  rig.Send(RecordTail());
  const TrackOutput output = rig.Finish();
  EXPECT_TRUE(output.samples.empty());
  EXPECT_EQ(output.dropped_frames(), kFrames);
}

TEST_P(LateStartTest, CountsWhatCameBeforeTheKeyframe) {
  TrackRig rig(Caps());
  const Packets tail = RecordTail();
  rig.Send(tail);
  rig.Send(testing::Following(tail.back(), Record(10)));
  const TrackOutput output = rig.Finish();
  EXPECT_EQ(output.samples.size(), 10U);
  EXPECT_EQ(output.dropped_frames(), kFrames);
}

TEST_P(LateStartTest, NoElementAsksTheSenderByItself) {
  TrackRig rig(Caps());
  rig.Send(RecordTail());
  const TrackOutput output = rig.Finish();
  EXPECT_EQ(rig.keyframe_requests(), 0U);
  // What decoders ask for is passed on in measure: twice a second.
  EXPECT_LE(output.losses, 2U);
  // The recorder's requests get through.
  rig.track().RequestKeyframe(false);
  rig.track().RequestKeyframe(true);
  EXPECT_EQ(rig.keyframe_requests(), 2U);
}

INSTANTIATE_TEST_SUITE_P(
    Codecs, LateStartTest,
    ::testing::Values(Codec{"H264",
                            "x264enc tune=zerolatency speed-preset=ultrafast "
                            "key-int-max=300 ! rtph264pay config-interval=-1"},
                      Codec{"VP8",
                            "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=300 ! rtpvp8pay"},
                      Codec{"VP9",
                            "vp9enc deadline=1 cpu-used=8 lag-in-frames=0 "
                            "keyframe-max-dist=300 ! rtpvp9pay"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace kvsbridge
