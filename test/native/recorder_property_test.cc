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
constexpr std::int64_t kFrameMs = 30;

/// A peer and a network that do whatever they like, from one seed.
class RandomStream {
 public:
  explicit RandomStream(unsigned seed)
      : random_(seed), b_frames_(OneIn(3)), clock_jumps_(OneIn(2)) {
    rig_.recorder().ExpectVideo(OneIn(2));
    rig_.recorder().ExpectAudio(OneIn(2) ? AacFormat() : nullptr);
  }

  void Step() {
    rig_.now_ms += Pick(1, 40);
    if (OneIn(400)) {  // nothing comes for a while
      rig_.now_ms += Pick(500, 30'000);
      audio_ms_ = static_cast<double>(rig_.now_ms - audio_lateness_ms_ + clock_error_ms_);
    }
    if (OneIn(150)) rig_.recorder().ExpectAudio(OneIn(2) ? rig_.audio_format : nullptr);
    if (OneIn(600)) rig_.audio_format = OneIn(2) ? AacFormat() : G711Format(AudioCodec::kMulaw);
    if (OneIn(100)) audio_flows_ = OneIn(2);
    if (OneIn(200)) video_flows_ = !OneIn(3);
    if (OneIn(100)) audio_lateness_ms_ = Pick(-50, 500);
    if (OneIn(200)) video_lateness_ms_ = Pick(0, 400);
    if (OneIn(500)) rig_.sink().set_has_room(OneIn(2));
    if (OneIn(20)) rig_.sink().set_has_room(true);
    if (clock_jumps_ && OneIn(600)) clock_error_ms_ = Pick(-5'000, 5'000);
    if (OneIn(200)) rig_.format = MakeFormat(320, static_cast<unsigned>(180 + 10 * Pick(0, 3)));
    if (OneIn(200)) keyframe_every_ = Pick(1, 200);
    if (video_flows_ && !OneIn(10)) SendVideo();
    SendAudio();
    if (OneIn(3)) TickAndCheck();
  }

  void Finish() {
    rig_.recorder().Finish();
    EXPECT_FALSE(rig_.sink().is_open());
    const RecorderStats& stats = rig_.recorder().stats();
    EXPECT_EQ(stats.video_frames_received, arrived_ms_.size() + undecodable_);
    EXPECT_EQ(stats.video_frames_written, rig_.sink().video_ids().size());
    EXPECT_EQ(stats.video_frames_written + stats.video_frames_dropped, stats.video_frames_received);
    EXPECT_EQ(stats.video_frames_dropped, Dropped());
    EXPECT_GT(rig_.fragments().size(), 10U);
    for (const auto& fragment : rig_.fragments()) EXPECT_TRUE(fragment.totals.has_value());
    if (!clock_jumps_) CheckShortFragments();
    CheckGaps();
  }

 private:
  /// With B-frames two pictures wait for one that is shown after them.
  void SendVideo() {
    if (OneIn(60)) {
      rig_.recorder().OnDropped(1, "undecodable", rig_.MonotonicNs());
      ++undecodable_;
      return;
    }
    const std::int64_t pts_ms = rig_.now_ms - video_lateness_ms_ + clock_error_ms_;
    if (OneIn(keyframe_every_)) {
      place_ = 0;
      Arrive(pts_ms, true);
    } else if (b_frames_) {
      constexpr std::int64_t kShownAfter[] = {2, -1, -1};
      Arrive(pts_ms + kShownAfter[place_++ % 3] * kFrameMs, false);
    } else {
      Arrive(pts_ms + Pick(-5, 5), false);
    }
  }

  void Arrive(std::int64_t pts_ms, bool keyframe) {
    arrived_ms_[rig_.Video(pts_ms, keyframe)] = rig_.now_ms;
  }

  void SendAudio() {
    const auto until_ms = static_cast<double>(rig_.now_ms - audio_lateness_ms_ + clock_error_ms_);
    // A clock that was set back or forward: sound goes on from there.
    if (!audio_flows_ || std::abs(until_ms - audio_ms_) > 2'000) audio_ms_ = until_ms;
    const double frame_ms = static_cast<double>(rig_.audio_format->frame_duration_ns) / kNsPerMs;
    for (; audio_ms_ < until_ms; audio_ms_ += frame_ms) rig_.Audio(audio_ms_ + Pick(-2, 2));
  }

  void TickAndCheck() {
    rig_.Tick();
    // Whatever came before the hold began is written or dropped by now.
    const auto overdue = std::count_if(arrived_ms_.begin(), arrived_ms_.end(), [this](auto& entry) {
      return entry.second <= rig_.now_ms - kHoldMs;
    });
    EXPECT_GE(rig_.sink().video_ids().size() + Dropped(), static_cast<std::size_t>(overdue))
        << "video waits for audio";
  }

  /// Only where a source falls silent may a fragment last less than a second.
  void CheckShortFragments() {
    for (const std::size_t index : rig_.sink().short_fragments()) {
      const auto& fragment = rig_.fragments()[index];
      const auto& next = rig_.fragments()[index + 1];
      const Epoch& epoch = rig_.sink().epochs()[fragment.epoch];
      // Lone audio that is sent in another format from now on has ended, too.
      if (epoch.video == nullptr && next.epoch != fragment.epoch) continue;
      const std::int64_t end_ms = fragment.timecode_ms + fragment.totals->duration_ms;
      EXPECT_GE(next.timecode_ms - end_ms, 500)
          << "a fragment of " << fragment.totals->duration_ms << " ms";
    }
  }

  void CheckGaps() {
    for (const auto& gap : rig_.gaps) {
      EXPECT_GE(gap.to_ms, gap.from_ms);
      EXPECT_TRUE(gap.to_ms - gap.from_ms > 200 || gap.video_frames_dropped > 0);
      EXPECT_FALSE(gap.reason.empty());
    }
    for (const auto& fragment : rig_.fragments()) {
      std::int64_t newest_ms = fragment.timecode_ms;
      for (const auto& block : fragment.blocks) {
        if (!block.video) continue;
        // B-frames come three pictures late at most, pictures are up to a second apart.
        const bool reported = std::any_of(rig_.gaps.begin(), rig_.gaps.end(), [&](auto& gap) {
          return gap.to_ms >= newest_ms && gap.from_ms <= block.timecode_ms;
        });
        EXPECT_TRUE(block.timecode_ms - newest_ms < 3'500 || reported)
            << block.timecode_ms - newest_ms << " ms without a picture, and no word of it";
        newest_ms = std::max(newest_ms, block.timecode_ms);
      }
    }
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
  std::size_t undecodable_ = 0;
  double audio_ms_ = 0;
  int audio_lateness_ms_ = 20;
  int video_lateness_ms_ = 20;
  int clock_error_ms_ = 0;
  int keyframe_every_ = 60;
  int place_ = 0;
  bool audio_flows_ = true;
  bool video_flows_ = true;
  bool b_frames_;
  bool clock_jumps_;
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

INSTANTIATE_TEST_SUITE_P(Seeds, RecorderPropertyTest, ::testing::Range(1U, 25U));

}  // namespace
}  // namespace kvsbridge
