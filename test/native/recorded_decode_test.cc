// Real H.264 through recorder and Matroska writer into ffmpeg, with every check of its decoder on.
#include <gst/app/gstappsink.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "event_log.h"
#include "media/gstreamer.h"
#include "media/recorder/nal_units.h"
#include "media/recorder/recorder.h"
#include "media/sinks/put_media_sink.h"
#include "media/tracks/track.h"

namespace kvsbridge {
namespace {

constexpr std::int64_t kZeroNs = 1'700'000'000 * kNsPerSecond;

/// Takes the parameter sets out: a sender may give them in the SDP, or long before.
BufferPtr WithoutParameterSets(const MappedBuffer& unit) {
  constexpr unsigned kSps = 7;
  constexpr unsigned kPps = 8;
  Bytes rest;
  for (std::size_t at = 0; at + 4 < unit.size();) {
    std::size_t length = 4;
    for (int i = 0; i < 4; ++i) length += std::size_t{unit.data()[at + i]} << (24 - 8 * i);
    const unsigned type = unit.data()[at + 4] & 0x1FU;
    if (type != kSps && type != kPps) {
      rest.insert(rest.end(), unit.data() + at, unit.data() + at + length);
    }
    at += length;
  }
  return BufferPtr::Adopt(gst_buffer_new_memdup(rest.data(), rest.size()));
}

/// Encodes a moving picture at 30 frames a second.
std::vector<VideoFrame> Encode(int width, int height, int frames, int gop, int b_frames) {
  const std::string description =
      "videotestsrc pattern=ball num-buffers=" + std::to_string(frames) +
      " ! video/x-raw,framerate=30/1,width=" + std::to_string(width) +
      ",height=" + std::to_string(height) +
      " ! x264enc threads=1 speed-preset=ultrafast bitrate=300" +
      " b-adapt=false key-int-max=" + std::to_string(gop) + " bframes=" + std::to_string(b_frames) +
      " option-string=scenecut=0:open-gop=0 ! h264parse ! "
      "video/x-h264,stream-format=avc,alignment=au ! appsink name=out sync=false";
  const auto pipeline = ElementPtr::Sink(gst_parse_launch(description.c_str(), nullptr));
  const auto out = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  std::vector<VideoFrame> encoded;
  std::int64_t first_pts_ns = 0;
  for (;;) {
    const auto sample =
        SamplePtr::Adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(out.get()), 30 * GST_SECOND));
    if (!sample) break;
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    VideoFrame frame;
    frame.format = std::make_shared<const VideoFormat>(
        ReadVideoFormat(gst_sample_get_caps(sample.get())).value());
    const MappedBuffer mapped(buffer);
    frame.keyframe = InspectPicture(*frame.format, mapped.data(), mapped.size()).keyframe;
    frame.data = WithoutParameterSets(mapped);
    const auto pts_ns = static_cast<std::int64_t>(GST_BUFFER_PTS(buffer));
    if (encoded.empty()) first_pts_ns = pts_ns;
    frame.pts_ns = pts_ns - first_pts_ns;
    encoded.push_back(std::move(frame));
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return encoded;
}

/// What a command writes, errors included.
std::string OutputOf(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::string text;
  std::array<char, 4096> chunk = {};
  while (const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    text.append(chunk.data(), size);
  }
  EXPECT_EQ(pclose(pipe), 0) << text;
  return text;
}

class RecordedDecodeTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    InitializeGStreamer();
    folder_ = std::filesystem::temp_directory_path() /
              ("kvsb-decode-" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
               std::to_string(GetParam()) + std::to_string(g_get_monotonic_time()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Record(const std::vector<VideoFrame>& frames, std::int64_t from_ns) {
    for (VideoFrame frame : frames) {
      frame.pts_ns += kZeroNs + from_ns;
      now_ns_ += kNsPerSecond / 30;
      recorder_.OnVideo(std::move(frame), now_ns_);
    }
  }

  /// Writes each epoch as a file and decodes it. @returns how many frames of each width it has
  std::vector<std::map<int, int>> Decode() {
    recorder_.Finish();
    std::vector<std::map<int, int>> epochs;
    std::ofstream file;
    for (const auto& event : events_.events()) {
      if (const auto* epoch = std::get_if<EpochEvent>(&event)) {
        file.open(PathOf(epochs.size()), std::ios::binary);
        Write(file, epoch->header);
      } else if (const auto* media = std::get_if<MediaDataEvent>(&event)) {
        Write(file, media->data);
      } else if (const auto* end = std::get_if<EpochEndEvent>(&event)) {
        Write(file, end->trailer);
        file.close();
        epochs.push_back(DecodeFile(PathOf(epochs.size())));
      }
    }
    return epochs;
  }

  Recorder recorder_{RecorderOptions{}, sink_, MakeHandlers()};

 private:
  static Recorder::Handlers MakeHandlers() {
    return {[](bool) {}, [](unsigned, const char* reason) { ADD_FAILURE() << reason; },
            [](const GapEvent& gap) { ADD_FAILURE() << gap.reason; }, [](std::int64_t) {}, [] {}};
  }

  static void Write(std::ofstream& file, const Bytes& bytes) {
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  [[nodiscard]] std::string PathOf(std::size_t epoch) const {
    return folder_ / (std::to_string(epoch) + ".mkv");
  }

  static std::map<int, int> DecodeFile(const std::string& path) {
    EXPECT_EQ(OutputOf("ffmpeg -v error -xerror -err_detect explode -i " + path +
                       " -vsync passthrough -enc_time_base -1 -f null -"),
              "");
    std::map<int, int> frames;
    std::int64_t newest_ms = -1;
    std::istringstream lines(
        OutputOf("ffprobe -v error -select_streams v -of csv=p=0 "
                 "-show_entries frame=pts,width " +
                 path));
    for (std::string line; std::getline(lines, line);) {
      std::int64_t pts_ms = 0;
      int width = 0;
      if (std::sscanf(line.c_str(), "%ld,%d", &pts_ms, &width) != 2) continue;
      EXPECT_GT(pts_ms, newest_ms) << "frames are shown in another order";
      newest_ms = pts_ms;
      ++frames[width];
    }
    return frames;
  }

  testing::EventLog events_;
  PutMediaSink sink_{events_};
  std::filesystem::path folder_;
  std::int64_t now_ns_ = kNsPerSecond;
};

TEST_P(RecordedDecodeTest, AnEarlyNewSizeDecodesInItsEpochAndThenHasItsOwn) {
  const int b_frames = GetParam();
  Record(Encode(320, 180, 15, 30, b_frames), 0);
  // Half a second in, and again after a second.
  Record(Encode(640, 360, 60, 15, b_frames), kNsPerSecond / 2);
  const auto epochs = Decode();
  ASSERT_EQ(epochs.size(), 2U);
  EXPECT_EQ(epochs[0], (std::map<int, int>{{320, 15}, {640, 15}}));
  EXPECT_EQ(epochs[1], (std::map<int, int>{{640, 45}}));
}

INSTANTIATE_TEST_SUITE_P(BFrames, RecordedDecodeTest, ::testing::Values(0, 2));

}  // namespace
}  // namespace kvsbridge
