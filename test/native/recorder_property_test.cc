// Random streams: whatever arrives, the recorder keeps its promises. RecordingSink checks them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

#include "recorder_rig.h"

namespace kvsbridge {
namespace {

using testing::MakeFormat;
using testing::RecorderRig;

constexpr int kSteps = 3'000;
constexpr std::int64_t kHoldMs = 250;

/// A peer and a network that do whatever they like, from one seed.
class RandomStream {
 public:
  explicit RandomStream(unsigned seed) : random_(seed) {}

  void Step() {
    rig_.now_ms += Pick(1, 40);
    if (OneIn(400)) rig_.now_ms += Pick(500, 30'000);  // nothing comes for a while
    if (OneIn(150)) rig_.recorder().ExpectAudio(OneIn(2));
    if (OneIn(100)) audio_flows_ = OneIn(2);
    if (OneIn(100)) audio_lateness_ms_ = Pick(-50, 500);
    if (OneIn(200)) video_lateness_ms_ = Pick(0, 400);
    if (OneIn(500)) rig_.sink().set_has_room(OneIn(2));
    if (OneIn(20)) rig_.sink().set_has_room(true);
    if (OneIn(300)) rig_.format = MakeFormat(320, static_cast<unsigned>(180 + 10 * Pick(0, 3)));
    const bool keyframe = OneIn(keyframe_every_);
    if (OneIn(200)) keyframe_every_ = Pick(1, 200);
    if (!OneIn(10)) {
      arrived_ms_[rig_.Video(rig_.now_ms - video_lateness_ms_ + Pick(-5, 5), keyframe)] =
          rig_.now_ms;
    }
    if (audio_flows_) {
      for (; audio_ms_ < static_cast<double>(rig_.now_ms - audio_lateness_ms_);
           audio_ms_ += 1024.0 / 48) {
        rig_.Audio(audio_ms_ + Pick(-2, 2));
      }
    } else {
      audio_ms_ = static_cast<double>(rig_.now_ms - audio_lateness_ms_);
    }
    if (OneIn(3)) TickAndCheck();
  }

  void Finish() {
    rig_.recorder().Finish();
    EXPECT_FALSE(rig_.sink().is_open());
    const RecorderStats& stats = rig_.recorder().stats();
    EXPECT_EQ(stats.video_frames_received, arrived_ms_.size());
    EXPECT_EQ(stats.video_frames_written, rig_.sink().video_ids().size());
    EXPECT_EQ(stats.video_frames_written + stats.video_frames_dropped, arrived_ms_.size());
    EXPECT_EQ(stats.video_frames_dropped, Dropped());
    EXPECT_GT(rig_.fragments().size(), 10U);
    for (const auto& fragment : rig_.fragments()) EXPECT_TRUE(fragment.totals.has_value());
  }

 private:
  void TickAndCheck() {
    rig_.Tick();
    // Whatever came before the hold began is written or dropped by now.
    const auto overdue = std::count_if(arrived_ms_.begin(), arrived_ms_.end(), [this](auto& entry) {
      return entry.second <= rig_.now_ms - kHoldMs;
    });
    EXPECT_GE(rig_.sink().video_ids().size() + Dropped(), static_cast<std::size_t>(overdue))
        << "video waits for audio";
  }

  [[nodiscard]] unsigned Dropped() const {
    return std::accumulate(rig_.dropped.begin(), rig_.dropped.end(), 0U,
                           [](unsigned sum, const auto& entry) { return sum + entry.second; });
  }

  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool OneIn(int n) { return Pick(1, n) == 1; }

  std::mt19937 random_;
  RecorderRig rig_;
  std::map<std::uint32_t, std::int64_t> arrived_ms_;
  double audio_ms_ = 0;
  int audio_lateness_ms_ = 20;
  int video_lateness_ms_ = 20;
  int keyframe_every_ = 60;
  bool audio_flows_ = true;
};

class RecorderPropertyTest : public ::testing::TestWithParam<unsigned> {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

TEST_P(RecorderPropertyTest, KeepsItsPromises) {
  RandomStream stream(GetParam());
  for (int step = 0; step < kSteps && !HasFailure(); ++step) stream.Step();
  stream.Finish();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RecorderPropertyTest, ::testing::Range(1U, 13U));

}  // namespace
}  // namespace kvsbridge
