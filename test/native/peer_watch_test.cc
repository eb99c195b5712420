// When a peer is taken for gone, and when what it sends is taken for useless.
#include <gtest/gtest.h>

#include "media/peer/consent_request.h"
#include "media/peer/media_watch.h"
#include "media/peer/peer_silence.h"

namespace kvsbridge {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kTickNs = 100 * kNsPerMs;
constexpr std::int64_t kBeginNs = 5'000 * kNsPerMs;
constexpr std::uint32_t kVideoSsrc = 8;

/// Milliseconds of silence after which the peer is gone, or 0.
std::int64_t TimeOfDeath(PeerSilence& silence, std::int64_t from_ns, bool answers_are_seen,
                         unsigned* asked = nullptr) {
  for (std::int64_t now_ns = from_ns; now_ns < from_ns + 20'000 * kNsPerMs; now_ns += kTickNs) {
    const auto decision = silence.Tick(now_ns, answers_are_seen);
    if (decision.gone) return (now_ns - from_ns) / kNsPerMs;
    if (decision.ask && asked != nullptr) ++*asked;
  }
  return 0;
}

TEST(PeerSilence, AsksBeforeItGivesUp) {
  PeerSilence silence(kBeginNs);
  unsigned asked = 0;
  EXPECT_EQ(TimeOfDeath(silence, kBeginNs, true, &asked), PeerSilence::kGoneAfterMs);
  EXPECT_EQ(asked, 8U);
}

TEST(PeerSilence, WaitsLongerWhereAnswersAreNotSeen) {
  PeerSilence silence(kBeginNs);
  EXPECT_EQ(TimeOfDeath(silence, kBeginNs, false), PeerSilence::kGoneUnseenAfterMs);
}

TEST(PeerSilence, KeepsAPeerThatAnswers) {
  PeerSilence silence(kBeginNs);
  for (std::int64_t now_ns = kBeginNs; now_ns < kBeginNs + 600'000 * kNsPerMs; now_ns += kTickNs) {
    const auto decision = silence.Tick(now_ns, true);
    ASSERT_FALSE(decision.gone);
    if (decision.ask) silence.OnHeard(now_ns);
  }
}

TEST(PeerSilence, BlamesNobodyForItsOwnStandstill) {
  PeerSilence silence(kBeginNs);
  EXPECT_FALSE(silence.Tick(kBeginNs, true).gone);
  const std::int64_t awake_ns = kBeginNs + 60'000 * kNsPerMs;
  EXPECT_FALSE(silence.Tick(awake_ns, true).gone);
  EXPECT_EQ(TimeOfDeath(silence, awake_ns, true), PeerSilence::kGoneAfterMs);
}

/// Feeds a MediaWatch ten times a second.
class MediaWatchTest : public ::testing::Test {
 protected:
  /// @param packets of video with each tick @param frames whether frames come of them
  /// @param sound packets with each tick
  /// @return the first fault, or empty
  std::string Run(std::int64_t duration_ms, unsigned packets, bool frames, unsigned sound = 0) {
    for (const std::int64_t end_ns = now_ns_ + duration_ms * kNsPerMs; now_ns_ < end_ns;) {
      now_ns_ += kTickNs;
      packets_.video += packets;
      packets_.media += packets + sound;
      if (frames && packets != 0) watch_.OnFrame();
      const auto decision = watch_.Tick(now_ns_, packets_);
      if (decision.fault) return *decision.fault;
      if (decision.ask_keyframe) ++asked_;
    }
    return "";
  }
  /// Sender reports once in `interval_ms`, looked at with each tick.
  /// @param sent, received, lost packets of sound with each tick
  std::string Report(std::int64_t duration_ms, std::int64_t interval_ms, unsigned sent,
                     unsigned received, unsigned lost = 0) {
    for (const std::int64_t end_ns = now_ns_ + duration_ms * kNsPerMs; now_ns_ < end_ns;) {
      now_ns_ += kTickNs;
      sent_ += sent;
      received_ += received;
      expected_ += received + lost;
      if (now_ns_ % (interval_ms * kNsPerMs) == 0) reported_ = sent_;
      const SourceReport report{7, reported_, received_, expected_, false};
      if (const auto fault = watch_.OnReports(now_ns_, {report})) return *fault;
    }
    return "";
  }

  std::int64_t now_ns_ = kBeginNs;
  PacketCounts packets_{0, 0, kVideoSsrc};
  std::uint32_t sent_ = 1;
  std::uint32_t reported_ = 1;
  std::uint64_t received_ = 1;
  std::int64_t expected_ = 1;
  unsigned asked_ = 0;
  MediaWatch watch_{kBeginNs, {10'000, 5'000, 4'000}};
};

TEST_F(MediaWatchTest, WantsSomeMediaInTheFirstSeconds) {
  EXPECT_EQ(Run(4'000, 0, false), "");
  EXPECT_NE(Run(1'000, 0, false).find("no media"), std::string::npos);
}

TEST_F(MediaWatchTest, EndsWhatWasSteadyAndStopped) {
  EXPECT_EQ(Run(10'000, 5, true), "");
  EXPECT_EQ(Run(3'900, 0, false), "");
  EXPECT_NE(Run(100, 0, false).find("video stopped 4000 ms ago, and"), std::string::npos);
}

TEST_F(MediaWatchTest, EndsASilentVideoWhileSoundGoesOn) {
  EXPECT_EQ(Run(10'000, 5, true, 5), "");
  EXPECT_EQ(Run(3'900, 0, false, 5), "");
  EXPECT_NE(Run(100, 0, false, 5).find("while it sends"), std::string::npos);
}

TEST_F(MediaWatchTest, LetsSoundAlonePauseForEver) {
  EXPECT_EQ(Run(10'000, 0, false, 5), "");
  EXPECT_EQ(Run(3'600'000, 0, false, 0), "");
}

TEST_F(MediaWatchTest, LetsVideoPauseThatWasNeverSteady) {
  EXPECT_EQ(Run(1'000, 5, true), "");
  EXPECT_EQ(Run(3'600'000, 0, false), "");
  for (int picture = 0; picture < 100; ++picture) {
    EXPECT_EQ(Run(100, 3, true), "");
    EXPECT_EQ(Run(5'000, 0, false), "");
  }
}

TEST_F(MediaWatchTest, LetsVideoPauseThatSaidGoodbye) {
  EXPECT_EQ(Run(10'000, 5, true), "");
  EXPECT_FALSE(watch_.OnReports(now_ns_, {{kVideoSsrc, 1, 1, 1, true}}));
  EXPECT_EQ(Run(3'600'000, 0, false), "");
  EXPECT_EQ(Run(10'000, 5, true), "");
  EXPECT_NE(Run(4'000, 0, false), "");
}

TEST_F(MediaWatchTest, AsksForAKeyframeThenEndsWhatMakesNoFrames) {
  EXPECT_EQ(Run(10'000, 5, true), "");
  const std::string fault = Run(5'000, 5, false);
  EXPECT_NE(fault.find("no frame"), std::string::npos) << fault;
  EXPECT_EQ(asked_, 3U);
}

TEST_F(MediaWatchTest, TakesAFewPacketsNowAndThenForProbes) {
  EXPECT_EQ(Run(1'000, 5, true), "");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Run(300, 3, false), "");
    EXPECT_EQ(Run(2'000, 0, false), "");
  }
}

TEST_F(MediaWatchTest, FindsASourceThatReportsButDoesNotArrive) {
  EXPECT_EQ(Report(20'000, 1'000, 5, 5), "");
  const std::int64_t began_ns = now_ns_;
  EXPECT_NE(Report(10'000, 1'000, 5, 0).find("got through"), std::string::npos);
  EXPECT_EQ(now_ns_ - began_ns, MediaWatch::kSilentSourceMs * kNsPerMs);
}

TEST_F(MediaWatchTest, FindsItWithTheFirstOfRareReports) {
  EXPECT_EQ(Report(21'000, 5'000, 5, 5), "");
  const std::int64_t began_ns = now_ns_;
  EXPECT_NE(Report(12'000, 5'000, 5, 0).find("got through"), std::string::npos);
  EXPECT_EQ(now_ns_ - began_ns, 4'000 * kNsPerMs);
}

TEST_F(MediaWatchTest, FindsItBehindABadNetwork) {
  EXPECT_EQ(Report(21'000, 5'000, 5, 3, 2), "");
  EXPECT_NE(Report(5'000, 5'000, 5, 0).find("got through"), std::string::npos);
}

TEST_F(MediaWatchTest, BelievesASourceThatReportsAPause) {
  EXPECT_EQ(Report(21'000, 5'000, 5, 5), "");
  EXPECT_EQ(Report(600'000, 5'000, 0, 0), "");
  EXPECT_EQ(Report(21'000, 5'000, 5, 3, 2), "");
  EXPECT_EQ(Report(600'000, 5'000, 0, 0), "");
}

TEST_F(MediaWatchTest, DoesNotTakeVideoThatIsSentAgainForVideoThatDoesNotCome) {
  const auto report = [this](std::uint32_t sent, std::uint64_t received) {
    now_ns_ += 2'000 * kNsPerMs;
    const auto expected = static_cast<std::int64_t>(received);
    return watch_.OnReports(now_ns_, {{kVideoSsrc, sent, received, expected, false}});
  };
  EXPECT_EQ(Run(1'000, 5, true), "");
  EXPECT_FALSE(report(1'000, 1'000));
  EXPECT_FALSE(report(1'200, 1'200));
  // The pause begins; the next report counts what was sent again before it.
  EXPECT_FALSE(report(1'250, 1'210));
  EXPECT_FALSE(report(1'300, 1'210));
  EXPECT_TRUE(report(1'350, 1'210));
}

TEST_F(MediaWatchTest, TakesNoSourceThatEndedForOneThatGetsLost) {
  // 300 packets a second, and each report looked at 100 ms late: 30 of the next one's packets had
  // come by then. The source ends with its name, for another one.
  constexpr std::uint32_t kSource = 7;
  std::uint32_t received = 1;
  const auto look = [&](std::uint32_t reported) {
    now_ns_ += 100 * kNsPerMs;
    return watch_.OnReports(now_ns_, {{kSource, reported, received, received, false}});
  };
  std::uint32_t reported = 1;
  for (int i = 0; i < 100; ++i) {
    if (i % 20 == 0) reported = received;
    received += 30;
    EXPECT_FALSE(look(reported));
  }
  const std::uint32_t all = received;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(look(i < 20 ? reported : all)) << i;
  // Who still sends by that name is missed.
  bool is_missed = false;
  for (int i = 0; i < 50 && !is_missed; ++i) is_missed = look(all + 30 * i).has_value();
  EXPECT_TRUE(is_missed);
}

// The sample request of RFC 5769, section 2.1, has other attributes; what is checked the same way
// are the two that protect them.
TEST(ConsentRequest, IsWhatIceAgentsCheck) {
  const ConsentCredentials credentials{"abcd", "evtj", "VOkJxbRl1RmTxUk/WvJxBt", true,
                                       0x1122334455667788};
  const auto request = MakeConsentRequest(credentials, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  ASSERT_EQ(request.size(), 20U + 4 + 12 + 8 + 12 + 24 + 8);
  EXPECT_EQ(request[0], 0);
  EXPECT_EQ(request[1], 1);
  EXPECT_EQ((request[2] << 8) | request[3], static_cast<int>(request.size()) - 20);
  const std::string text(request.begin(), request.end());
  EXPECT_NE(text.find("evtj:abcd"), std::string::npos);
  EXPECT_EQ(text.find(credentials.remote_password), std::string::npos);
}

}  // namespace
}  // namespace kvsbridge
