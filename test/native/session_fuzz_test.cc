// Malformed input against real sessions: they live on or end with a typed error, and no library
// complains of a bug.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "call.h"
#include "mutator.h"
#include "recording_checker.h"
#include "sdp_samples.h"

namespace kvsbridge {
namespace {

using testing::Call;
using testing::EventLog;
using testing::Mutator;

#if defined(__SANITIZE_THREAD__)
constexpr int kSessions = 10;  // each is a pair of threads too many to do all of it twice
#else
constexpr int kSessions = 80;
#endif
constexpr int kLiveInputs = 1'000;

class SessionFuzzTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    // As G_DEBUG=fatal-criticals, for every way to start this program.
    g_log_set_always_fatal(
        static_cast<GLogLevelFlags>(G_LOG_LEVEL_CRITICAL | G_LOG_FLAG_FATAL | G_LOG_LEVEL_ERROR));
  }

  /// An answer that fits what a receiver offers.
  static std::string Answer() {
    Call call;
    if (!call.Start() ||
        !call.publisher_events().WaitForEvent<LocalDescriptionEvent>("an answer")) {
      return "";
    }
    return call.publisher_events().All<LocalDescriptionEvent>().at(0).sdp;
  }

  /// Every error that a peer can cause is told as its doing.
  static void ExpectTypedErrors(const EventLog& events) {
    for (const auto& error : events.All<ErrorEvent>()) {
      EXPECT_FALSE(error.message.empty());
      EXPECT_TRUE(error.kind == ErrorKind::kBadPeerInput || error.kind == ErrorKind::kMedia);
    }
  }
};

TEST_F(SessionFuzzTest, ALiveSessionTakesAThousandPiecesOfRubbish) {
  Call call;
  ASSERT_TRUE(call.Start());
  ASSERT_TRUE(call.WaitForMedia(5));
  const std::string answer = call.publisher_events().All<LocalDescriptionEvent>().at(0).sdp;
  auto candidates = testing::PeerCandidates();
  for (const auto& candidate : call.publisher_events().All<LocalCandidateEvent>()) {
    candidates.push_back(candidate.candidate);
  }
  Mutator mutator(20'240'104);
  for (int i = 0; i < kLiveInputs; ++i) {
    if (i % 4 == 0) {
      call.receiver().SetRemoteAnswer(mutator.Damage(answer));
    } else {
      call.receiver().AddRemoteCandidate(
          static_cast<unsigned>(mutator.Pick(4)),
          mutator.Damage(candidates[mutator.Pick(candidates.size())]));
    }
  }
  ASSERT_TRUE(call.WaitForMedia(call.events().All<MediaDataEvent>().size() + 30));
  call.StopReceiver();
  ExpectTypedErrors(call.events());
  for (const auto& error : call.events().All<ErrorEvent>()) EXPECT_FALSE(error.fatal);
  EXPECT_GT(call.events().All<ErrorEvent>().size(), 250U);
  testing::CheckRecording(call.events().events());
}

TEST_F(SessionFuzzTest, ADamagedAnswerIsRefusedOrUsed) {
  const std::string answer = Answer();
  ASSERT_FALSE(answer.empty());
  Mutator mutator(20'240'105);
  int refused = 0;
  for (int i = 0; i < kSessions; ++i) {
    const auto events = std::make_shared<EventLog>();
    ReceiverSession receiver({}, events);
    receiver.Start();
    ASSERT_TRUE(events->WaitForEvent<LocalDescriptionEvent>("an offer"));
    // Nobody listens there, but trying it changes the ICE state: the answer was taken.
    receiver.AddRemoteCandidate(0, "candidate:1 1 udp 2113937151 127.0.0.1 9 typ host");
    receiver.SetRemoteAnswer(mutator.Damage(answer));
    // Some that are taken decline all media and start nothing, so this may end without either.
    events->WaitUpTo(std::chrono::milliseconds(300), [](const std::vector<Event>& all) {
      return std::any_of(all.begin(), all.end(), [](const Event& event) {
        return std::holds_alternative<ErrorEvent>(event) ||
               std::holds_alternative<ConnectionStateEvent>(event);
      });
    });
    receiver.Stop(std::chrono::milliseconds(0));
    ASSERT_TRUE(events->WaitForEvent<ClosedEvent>("the session's end"));
    ExpectTypedErrors(*events);
    if (!events->All<ErrorEvent>().empty()) ++refused;
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, kSessions);
}

TEST_F(SessionFuzzTest, ADamagedOfferIsAnsweredOrRefused) {
  std::string offer;
  {
    const auto events = std::make_shared<EventLog>();
    ReceiverSession receiver({}, events);
    receiver.Start();
    ASSERT_TRUE(events->WaitForEvent<LocalDescriptionEvent>("an offer"));
    offer = events->All<LocalDescriptionEvent>().at(0).sdp;
  }
  const std::vector<std::string> offers = {offer, testing::BrowserOffer()};
  Mutator mutator(20'240'106);
  int answered = 0;
  for (int i = 0; i < kSessions; ++i) {
    const auto events = std::make_shared<EventLog>();
    PublisherOptions options;
    options.offer = mutator.Damage(offers[mutator.Pick(offers.size())]);
    options.source.width = 480;
    options.source.height = 64;
    options.source.frame_rate = 1;
    options.source.video_bitrate_bps = 64'000;
    PublisherSession publisher(options, events);
    publisher.Start();
    ASSERT_TRUE(events->WaitFor("an answer or an end", [](const std::vector<Event>& all) {
      return std::any_of(all.begin(), all.end(), [](const Event& event) {
        return std::holds_alternative<LocalDescriptionEvent>(event) ||
               std::holds_alternative<ClosedEvent>(event);
      });
    })) << options.offer;
    if (!events->All<LocalDescriptionEvent>().empty()) ++answered;
    publisher.Stop(std::chrono::milliseconds(0));
    ASSERT_TRUE(events->WaitForEvent<ClosedEvent>("the session's end"));
    ExpectTypedErrors(*events);
  }
  EXPECT_GT(answered, 0);
  EXPECT_LT(answered, kSessions);
}

}  // namespace
}  // namespace kvsbridge
