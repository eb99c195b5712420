// The encoder's limit over a sender's ups and downs.
#include "media/tracks/bitrate_follower.h"

#include <gtest/gtest.h>

namespace kvsbridge {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// Sends frames at a steady rate; returns the last limit that was told, if any.
class Sender {
 public:
  explicit Sender(BitrateFollower& follower) : follower_(follower) {}

  std::optional<BitrateLimit> Run(double seconds, double bitrate_bps, int frame_rate = 30) {
    std::optional<BitrateLimit> last;
    const auto bytes = static_cast<std::size_t>(bitrate_bps / 8 / frame_rate);
    for (int i = 0; i < seconds * frame_rate; ++i) {
      if (const auto limit = follower_.OnFrame(bytes, now_ns_)) last = limit;
      now_ns_ += kSecond / frame_rate;
    }
    return last;
  }
  void Pause(std::int64_t ns) { now_ns_ += ns; }

 private:
  BitrateFollower& follower_;
  std::int64_t now_ns_ = 5 * kSecond;
};

TEST(BitrateFollowerTest, BeginsByThePictureSize) {
  BitrateFollower follower(SourceCodec::kVp8);
  const auto small = follower.OnSize(320, 180).bitrate_bps;
  BitrateFollower other(SourceCodec::kVp8);
  EXPECT_NEAR(other.OnSize(1280, 720).bitrate_bps, 16.0 * small, 20);
}

TEST(BitrateFollowerTest, FollowsUpAtOnceAndDownOnlyWhenItLasts) {
  BitrateFollower follower(SourceCodec::kVp8);
  follower.OnSize(1280, 720);
  Sender sender(follower);
  const auto up = sender.Run(2.1, 4'000'000);
  ASSERT_TRUE(up);
  EXPECT_NEAR(up->bitrate_bps, 1.3 * 4'000'000, 200'000);
  EXPECT_FALSE(sender.Run(2.1, 1'000'000)) << "one low measurement lowers nothing";
  const auto down = sender.Run(4.1, 1'000'000);
  ASSERT_TRUE(down);
  EXPECT_NEAR(down->bitrate_bps, 1.3 * 1'000'000, 100'000);
}

TEST(BitrateFollowerTest, SmallChangesAreNotWorthATelling) {
  BitrateFollower follower(SourceCodec::kVp8);
  follower.OnSize(1280, 720);
  Sender sender(follower);
  sender.Run(6.1, 3'000'000);
  EXPECT_FALSE(sender.Run(6, 3'150'000));
  EXPECT_FALSE(sender.Run(6, 2'600'000));
}

TEST(BitrateFollowerTest, GivesBetterCodecsMore) {
  BitrateFollower follower(SourceCodec::kAv1);
  follower.OnSize(1280, 720);
  const auto limit = Sender(follower).Run(2.1, 2'000'000);
  ASSERT_TRUE(limit);
  EXPECT_NEAR(limit->bitrate_bps, 2.2 * 2'000'000, 200'000);
}

TEST(BitrateFollowerTest, StaysWithinBounds) {
  BitrateFollower follower(SourceCodec::kVp8);
  follower.OnSize(640, 360);
  Sender sender(follower);
  const auto high = sender.Run(2.1, 100'000'000);
  ASSERT_TRUE(high);
  EXPECT_LE(high->bitrate_bps, 640 * 360 * 30 / 2 + 1U);
  const auto low = sender.Run(6.1, 1'000);
  ASSERT_TRUE(low);
  EXPECT_GE(low->bitrate_bps, 130'000U);
}

TEST(BitrateFollowerTest, TellsAFrameRateThatChanged) {
  BitrateFollower follower(SourceCodec::kVp8);
  follower.OnSize(1280, 720);
  const auto limit = Sender(follower).Run(4.1, 2'000'000, 10);
  ASSERT_TRUE(limit);
  EXPECT_NEAR(limit->frame_rate, 10, 1);
}

TEST(BitrateFollowerTest, APauseIsNoLowBitrate) {
  BitrateFollower follower(SourceCodec::kVp8);
  follower.OnSize(1280, 720);
  Sender sender(follower);
  sender.Run(6.1, 3'000'000);
  for (int i = 0; i < 5; ++i) {
    sender.Pause(20 * kSecond);
    EXPECT_FALSE(sender.Run(1, 3'000'000));
  }
}

}  // namespace
}  // namespace kvsbridge
