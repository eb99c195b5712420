// Round trips and the sums of RTP streams.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <vector>

#include "glib/ptr.h"
#include "media/peer/round_trip.h"
#include "media/peer/rtp_sources.h"

namespace kvsbridge {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

TEST(RoundTrip, IsTheNewestAnswersAndIsForgottenWithoutAny) {
  RoundTrip trip;
  EXPECT_FALSE(trip.ReadMs());
  const std::uint64_t first = trip.OnRequest(0);
  EXPECT_FALSE(trip.ReadMs());
  trip.OnAnswer(first, 25 * kNsPerMs);
  EXPECT_DOUBLE_EQ(trip.ReadMs().value_or(-1), 25);
  // An answer that comes twice, and one to a request that another followed, measure nothing.
  trip.OnAnswer(first, 900 * kNsPerMs);
  const std::uint64_t second = trip.OnRequest(1'000 * kNsPerMs);
  const std::uint64_t third = trip.OnRequest(2'000 * kNsPerMs);
  trip.OnAnswer(second, 2'001 * kNsPerMs);
  EXPECT_DOUBLE_EQ(trip.ReadMs().value_or(-1), 25);
  trip.OnAnswer(third, 2'040 * kNsPerMs);
  EXPECT_DOUBLE_EQ(trip.ReadMs().value_or(-1), 40);
  for (int unanswered = 0; unanswered < 4; ++unanswered) trip.OnRequest(3'000 * kNsPerMs);
  EXPECT_FALSE(trip.ReadMs());
}

BufferPtr Packet(const std::vector<std::uint8_t>& bytes) {
  return BufferPtr::Adopt(gst_buffer_new_memdup(bytes.data(), bytes.size()));
}

class StunMarkTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

TEST_F(StunMarkTest, KnowsTheAnswersToItsOwnRequestsOnly) {
  const StunMark mark;
  const StunTransactionId transaction = mark.Transaction(0x0102030405060708U);
  std::vector<std::uint8_t> answer = {0x01, 0x01, 0x00, 0x10, 0x21, 0x12, 0xa4, 0x42};
  answer.insert(answer.end(), transaction.begin(), transaction.end());
  EXPECT_EQ(mark.AnsweredBy(Packet(answer).get()), 0x0102030405060708U);

  EXPECT_FALSE(StunMark().AnsweredBy(Packet(answer).get())) << "another mark";
  std::vector<std::uint8_t> request = answer;
  request[0] = 0x00;
  EXPECT_FALSE(mark.AnsweredBy(Packet(request).get())) << "a request";
  answer.push_back(0);
  EXPECT_FALSE(mark.AnsweredBy(Packet(answer).get())) << "not cut to its header";
  EXPECT_FALSE(mark.AnsweredBy(Packet({0x80}).get())) << "no STUN at all";
}

RtpSource Source(std::uint32_t ssrc, std::uint64_t received, std::int64_t lost) {
  RtpSource source;
  source.ssrc = ssrc;
  source.packets_received = received;
  source.packets_lost = lost;
  source.nacks_sent = received / 10;
  source.jitter_ms = static_cast<double>(ssrc);
  return source;
}

TEST(RtpTrackSums, GoOnWhereAnotherStreamCarriesTheTrack) {
  RtpTrackSums sums;
  sums.Update({Source(7, 50, 0)});
  EXPECT_EQ(sums.Read("video").packets_received, 0U) << "no track carries it";
  sums.Follow("video", 7);
  sums.Update({Source(9, 1'000, 1'000), Source(7, 100, 5)});
  sums.Follow("video", 8);
  sums.Update({Source(7, 200, 50), Source(8, 30, 1)});
  const RtpTrackStats stats = sums.Read("video");
  EXPECT_EQ(stats.packets_received, 130U);
  EXPECT_EQ(stats.packets_lost, 6U);
  EXPECT_EQ(stats.nacks_sent, 13U);
  EXPECT_DOUBLE_EQ(stats.jitter_ms, 8);
  EXPECT_EQ(sums.Read("audio").packets_received, 0U);
}

TEST(RtpTrackSums, TellWhichStreamsCarryATrackNow) {
  RtpTrackSums sums;
  EXPECT_FALSE(sums.Carries(1));
  sums.Follow("video", 1);
  sums.Follow("audio", 2);
  EXPECT_TRUE(sums.Carries(1));
  EXPECT_TRUE(sums.Carries(2));
  sums.Follow("video", 3);
  EXPECT_FALSE(sums.Carries(1));
  EXPECT_TRUE(sums.Carries(3));
}

TEST(RtpTrackSums, NeverFall) {
  RtpTrackSums sums;
  sums.Follow("audio", 7);
  sums.Update({Source(7, 100, 5)});
  // Duplicates make up for losses in RTCP's count, and rtpsession forgets a source that is silent.
  sums.Update({Source(7, 120, -3)});
  EXPECT_EQ(sums.Read("audio").packets_lost, 5U);
  sums.Update({});
  EXPECT_EQ(sums.Read("audio").packets_received, 120U);
}

}  // namespace
}  // namespace kvsbridge
