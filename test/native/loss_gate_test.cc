// Lost packets: what passes the gate is exactly what decodes to the picture that was sent.
#include "media/tracks/loss_gate.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/rtp/rtp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "media/gstreamer.h"

namespace kvsbridge {
namespace {

/// A packet of a stream, and where it stands in its frame.
struct Packet {
  BufferPtr buffer;
  std::size_t frame = 0;
  bool first = false;
  bool last = false;
};

using Pictures = std::map<GstClockTime, std::string>;  ///< pictures' checksums by PTS

ElementPtr Parse(const std::string& description) {
  InitializeGStreamer();
  GError* raw_error = nullptr;
  auto pipeline = ElementPtr::Sink(gst_parse_launch(description.c_str(), &raw_error));
  const GErrorPtr error(raw_error);
  EXPECT_FALSE(error) << error->message;
  return pipeline;
}

ElementPtr Named(const ElementPtr& pipeline, const char* name) {
  return ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
}

/// Runs a pipeline of `appsrc name=in`, when there is one, to `appsink name=out`.
std::vector<SamplePtr> Run(const ElementPtr& pipeline, const std::vector<SamplePtr>& input) {
  const auto source = Named(pipeline, "in");
  const auto sink = Named(pipeline, "out");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  for (const SamplePtr& sample : input)
    gst_app_src_push_sample(GST_APP_SRC(source.get()), sample.get());
  if (source) gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
  std::vector<SamplePtr> output;
  while (auto sample = SamplePtr::Adopt(gst_app_sink_pull_sample(GST_APP_SINK(sink.get())))) {
    output.push_back(std::move(sample));
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return output;
}

Pictures Decode(const std::vector<SamplePtr>& frames) {
  const auto pipeline =
      Parse("appsrc name=in format=time ! avdec_h264 max-threads=1 ! appsink name=out sync=false");
  Pictures pictures;
  for (const SamplePtr& sample : Run(pipeline, frames)) {
    const MappedBuffer mapped(gst_sample_get_buffer(sample.get()));
    const GCharPtr checksum(
        g_compute_checksum_for_data(G_CHECKSUM_MD5, mapped.data(), mapped.size()));
    pictures[GST_BUFFER_PTS(gst_sample_get_buffer(sample.get()))] = checksum.get();
  }
  return pictures;
}

/// A stream as it is sent, and what it decodes to when nothing is lost.
class Stream {
 public:
  explicit Stream(const std::string& encoder) {
    const auto pipeline =
        Parse("videotestsrc num-buffers=150 pattern=ball ! video/x-raw,width=320,height=180 ! " +
              encoder +
              " ! rtph264pay config-interval=-1 aggregate-mode=zero-latency mtu=300 "
              "! appsink name=out sync=false");
    GstClockTime last_pts = GST_CLOCK_TIME_NONE;
    for (const SamplePtr& sample : Run(pipeline, {})) {
      caps_ = CapsPtr::Share(gst_sample_get_caps(sample.get()));
      Packet packet{BufferPtr::Share(gst_sample_get_buffer(sample.get())), 0, false, false};
      const GstClockTime pts = GST_BUFFER_PTS(packet.buffer.get());
      packet.first = pts != last_pts;
      if (packet.first && !packets_.empty()) packets_.back().last = true;
      if (packet.first) frames_.push_back({pts});
      packet.frame = frames_.size() - 1;
      last_pts = pts;
      packets_.push_back(std::move(packet));
    }
    packets_.back().last = true;
    for (const SamplePtr& frame : Receive({})) {
      GstBuffer* buffer = gst_sample_get_buffer(frame.get());
      for (Frame& sent : frames_) {
        if (sent.pts == GST_BUFFER_PTS(buffer)) sent.keyframe = IsWholeIdr(buffer);
      }
      all_.push_back(frame);
    }
    pictures_ = Decode(all_);
  }

  [[nodiscard]] const std::vector<Packet>& packets() const { return packets_; }
  [[nodiscard]] const Pictures& pictures() const { return pictures_; }
  [[nodiscard]] std::size_t frames() const { return frames_.size(); }

  /// What the gate lets through when these packets (by their place in the stream) are lost.
  std::vector<SamplePtr> Receive(const std::set<std::size_t>& lost) {
    const auto pipeline = Parse(
        "appsrc name=in format=time ! rtph264depay name=depay ! h264parse name=parse "
        "! video/x-h264,stream-format=avc,alignment=au ! appsink name=out sync=false");
    const auto source =
        PadPtr::Adopt(gst_element_get_static_pad(Named(pipeline, "in").get(), "src"));
    const auto parsed =
        PadPtr::Adopt(gst_element_get_static_pad(Named(pipeline, "parse").get(), "src"));
    dropped_ = 0;
    missing_ = 0;
    requests_ = 0;
    LossGate::Install(source.get(), parsed.get(), "H264", IsWholeIdr,
                      {[this](unsigned packets) { missing_ += packets; }, [this] { ++requests_; },
                       [this] { ++dropped_; }});
    std::vector<SamplePtr> input;
    for (std::size_t i = 0; i < packets_.size(); ++i) {
      if (lost.count(i) != 0) continue;
      input.push_back(SamplePtr::Adopt(
          gst_sample_new(packets_[i].buffer.get(), caps_.get(), nullptr, nullptr)));
    }
    return Run(pipeline, input);
  }

  /// Loses these packets and checks what is left.
  void ExpectOnlyWholePictures(const std::set<std::size_t>& lost) {
    std::set<std::size_t> broken;
    for (const std::size_t packet : lost) broken.insert(packets_[packet].frame);
    std::set<GstClockTime> expected;
    bool open = true;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      open = broken.count(i) == 0 && (open || frames_[i].keyframe);
      if (open) expected.insert(frames_[i].pts);
    }
    const auto received = Receive(lost);
    std::set<GstClockTime> passed;
    for (const SamplePtr& frame : received) {
      passed.insert(GST_BUFFER_PTS(gst_sample_get_buffer(frame.get())));
    }
    EXPECT_EQ(passed, expected);
    EXPECT_EQ(received.size(), passed.size()) << "a frame in pieces";
    EXPECT_LE(received.size() + dropped_, frames_.size());
    if (!lost.empty()) {
      EXPECT_GT(requests_, 0U);
      EXPECT_EQ(missing_, lost.size());
    }
    for (const auto& [pts, checksum] : Decode(received)) {
      ASSERT_EQ(checksum, pictures_.at(pts)) << "another picture than was sent at " << pts;
    }
  }

  [[nodiscard]] unsigned dropped() const { return dropped_; }

 private:
  struct Frame {
    GstClockTime pts = 0;
    bool keyframe = false;
  };

  CapsPtr caps_;
  std::vector<Packet> packets_;
  std::vector<Frame> frames_;
  std::vector<SamplePtr> all_;
  Pictures pictures_;
  std::atomic<unsigned> dropped_{0};
  std::atomic<unsigned> missing_{0};
  std::atomic<unsigned> requests_{0};
};

/// Encoders whose streams differ in what a loss can do to them.
class LossGateTest : public ::testing::TestWithParam<const char*> {
 protected:
  Stream stream_{GetParam()};
};

TEST_P(LossGateTest, LetsEverythingPassWhenNothingIsLost) {
  EXPECT_EQ(stream_.Receive({}).size(), stream_.frames());
  EXPECT_EQ(stream_.dropped(), 0U);
  EXPECT_EQ(stream_.pictures().size(), stream_.frames());
}

TEST_P(LossGateTest, RandomLossLeavesOnlyWholePictures) {
  for (const unsigned per_mille : {2U, 10U, 50U}) {
    std::mt19937 random(per_mille);
    std::set<std::size_t> lost;
    for (std::size_t i = 1; i < stream_.packets().size(); ++i) {
      if (random() % 1'000 < per_mille) lost.insert(i);
    }
    SCOPED_TRACE(per_mille);
    stream_.ExpectOnlyWholePictures(lost);
  }
}

TEST_P(LossGateTest, BurstsOfAnyLengthLeaveOnlyWholePictures) {
  std::mt19937 random(3);
  std::set<std::size_t> lost;
  for (std::size_t at = 20; at < stream_.packets().size(); at += 60 + random() % 300) {
    const std::size_t length = 1 + random() % 80;
    for (std::size_t i = at; i < std::min(at + length, stream_.packets().size()); ++i) {
      lost.insert(i);
    }
  }
  stream_.ExpectOnlyWholePictures(lost);
}

TEST_P(LossGateTest, EveryPlaceInAFrameMatters) {
  // First and last packets, of a keyframe and of the frames around it, one at a time.
  std::vector<std::size_t> places;
  for (std::size_t i = 1; i + 1 < stream_.packets().size(); ++i) {
    const Packet& packet = stream_.packets()[i];
    // Every 30th frame is intra-coded, and a keyframe where the encoder closes its GOPs.
    const bool near_keyframe = packet.frame > 28 && packet.frame < 32;
    if (near_keyframe && (packet.first || packet.last)) places.push_back(i);
  }
  ASSERT_GE(places.size(), 3U);
  for (const std::size_t place : places) {
    SCOPED_TRACE(place);
    stream_.ExpectOnlyWholePictures({place});
  }
}

INSTANTIATE_TEST_SUITE_P(
    Encoders, LossGateTest,
    ::testing::Values(
        "x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max=30 bitrate=800 "
        "! video/x-h264,profile=constrained-baseline",
        "x264enc speed-preset=veryfast threads=1 bframes=3 key-int-max=30 bitrate=800 "
        "! video/x-h264,profile=high",
        "x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max=30 bitrate=800 "
        "option-string=slices=4 ! video/x-h264,profile=constrained-baseline",
        // Intra pictures that are no IDR: what follows them may refer to what came before them.
        "x264enc speed-preset=veryfast threads=1 bframes=2 key-int-max=30 bitrate=800 "
        "option-string=open-gop=1 ! video/x-h264,profile=main"));

}  // namespace
}  // namespace kvsbridge
