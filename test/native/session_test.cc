// Real webrtcbin pairs on this machine: what a session emits, and how it ends.
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>

#include "call.h"
#include "recording_checker.h"
#include "sdp_samples.h"
#include "switching_publisher.h"

namespace kvsbridge {
namespace {

using std::chrono::milliseconds;
using testing::Call;
using testing::CheckedRecording;
using testing::CheckRecording;
using testing::EventLog;
using testing::kPatience;
using testing::SwitchingPublisher;

/// A session that stops without having been asked says why.
void ExpectNoFatalError(const EventLog& events) {
  for (const auto& error : events.All<ErrorEvent>()) EXPECT_FALSE(error.fatal) << error.message;
}

TEST(SessionTest, RecordsAndDrainsToTheLastFrame) {
  Call call;
  ASSERT_TRUE(call.Start());
  ASSERT_TRUE(call.WaitForFragments(3));
  call.StopReceiver();
  call.StopPublisher();
  ExpectNoFatalError(call.events());
  ExpectNoFatalError(call.publisher_events());

  const CheckedRecording recording = CheckRecording(call.events().events());
  ASSERT_EQ(recording.epochs.size(), 1U);
  EXPECT_EQ(recording.epochs[0].width, 480U);
  EXPECT_EQ(recording.epochs[0].height, 270U);
  EXPECT_TRUE(recording.epochs[0].has_audio);
  EXPECT_GE(recording.epochs[0].fragments.size(), 3U);

  const RecorderStats stats = call.events().All<StatsEvent>().back().recorder;
  EXPECT_EQ(recording.video_frames, stats.video_frames_written);
  EXPECT_EQ(stats.video_frames_received, stats.video_frames_written + stats.video_frames_dropped);
  EXPECT_EQ(stats.video_frames_dropped, 0U);
  EXPECT_EQ(recording.video_timecodes_ms.back(), stats.newest_video_ms)
      << "the last frame received is not the last one written";
  EXPECT_GT(stats.audio_frames_received, 30U);

  std::set<std::string> kinds;
  for (const auto& track : call.events().All<TrackEvent>()) kinds.insert(track.kind);
  EXPECT_EQ(kinds, (std::set<std::string>{"audio", "video"}));
}

TEST(SessionTest, AReceiverThatOutlivesItsPublisherKeepsWhatCame) {
  Call call;
  ASSERT_TRUE(call.Start());
  ASSERT_TRUE(call.WaitForFrames(30));
  call.StopPublisher();
  const std::uint64_t sent = call.publisher_events().All<SenderStatsEvent>().back().frames_sent;
  EXPECT_GE(sent, 30U);
  // The publisher's own drain lets the frames behind its gate arrive.
  EXPECT_TRUE(call.WaitForFrames(sent));
  call.StopReceiver();
  EXPECT_EQ(CheckRecording(call.events().events()).video_frames, sent);
}

TEST(SessionTest, ANewSizeBeginsAnEpochAtItsKeyframe) {
  SwitchingPublisher* publisher = nullptr;
  Call call(Call::ShortFragments(),
            [&publisher](const std::string& offer, std::shared_ptr<EventSink> events) {
              auto made = std::make_unique<SwitchingPublisher>(offer, std::move(events));
              publisher = made.get();
              return made;
            });
  ASSERT_TRUE(call.Start());
  const auto wait_for_width = [&call](unsigned width) {
    return call.events().WaitForEvent<EpochEvent>(
        "a new size", [width](const EpochEvent& event) { return event.width == width; });
  };
  ASSERT_TRUE(wait_for_width(320));
  publisher->SetSize(640, 360);
  ASSERT_TRUE(wait_for_width(640));
  publisher->SetSize(480, 270);
  ASSERT_TRUE(wait_for_width(480));
  ASSERT_TRUE(call.WaitForFragments(3));
  call.StopReceiver();
  ExpectNoFatalError(call.events());

  const CheckedRecording recording = CheckRecording(call.events().events());
  ASSERT_EQ(recording.epochs.size(), 3U);
  EXPECT_EQ(recording.epochs[1].height, 360U);
  EXPECT_NE(recording.epochs[0].codec_private, recording.epochs[1].codec_private);
  EXPECT_EQ(call.events().All<StatsEvent>().back().recorder.video_frames_dropped, 0U);
}

TEST(SessionTest, RecordsVideoAloneWhenThePublisherSendsNoSound) {
  Call call(Call::ShortFragments(), Call::TestPicture(false));
  ASSERT_TRUE(call.Start());
  ASSERT_TRUE(call.WaitForFragments(2));
  call.StopReceiver();
  const CheckedRecording recording = CheckRecording(call.events().events());
  ASSERT_EQ(recording.epochs.size(), 1U);
  EXPECT_FALSE(recording.epochs[0].has_audio);
}

TEST(SessionTest, RecordsVideoAloneWhenNoSoundIsAskedFor) {
  ReceiverOptions options = Call::ShortFragments();
  options.audio = AudioMode::kNone;
  Call call(options);
  ASSERT_TRUE(call.Start());
  ASSERT_TRUE(call.WaitForMedia(10));
  call.StopReceiver();
  EXPECT_FALSE(CheckRecording(call.events().events()).epochs.at(0).has_audio);
}

TEST(SessionTest, SilenceStandsForSoundThatStops) {
  SwitchingPublisher* publisher = nullptr;
  Call call(Call::ShortFragments(),
            [&publisher](const std::string& offer, std::shared_ptr<EventSink> events) {
              auto made = std::make_unique<SwitchingPublisher>(offer, std::move(events));
              publisher = made.get();
              return made;
            });
  ASSERT_TRUE(call.Start());
  ASSERT_TRUE(call.WaitForFragments(1));
  publisher->SetSound(false);
  ASSERT_TRUE(call.events().WaitForEvent<FragmentEndEvent>(
      "a silent fragment",
      [](const auto& fragment) { return fragment.audio_frames == fragment.silent_audio_frames; }));
  call.StopReceiver();
  const CheckedRecording recording = CheckRecording(call.events().events());
  EXPECT_EQ(recording.epochs.size(), 1U);
  EXPECT_GT(recording.silent_audio_frames(), 10U);
  EXPECT_GT(recording.audio_frames(), recording.silent_audio_frames());
}

TEST(SessionTest, WithoutRoomItCutsAndResumes) {
  Call call;
  ASSERT_TRUE(call.Start());
  ASSERT_TRUE(call.WaitForMedia(10));
  call.events().set_full(true);
  ASSERT_TRUE(call.events().WaitForEvent<FramesDroppedEvent>(
      "dropped frames", [](const auto& event) { return event.reason == "queue-full"; }));
  const auto ended = call.events().All<FragmentEndEvent>().size();
  call.events().set_full(false);
  ASSERT_TRUE(call.WaitForFragments(ended + 1));
  call.StopReceiver();
  const CheckedRecording recording = CheckRecording(call.events().events());
  EXPECT_EQ(recording.epochs.size(), 1U);
  EXPECT_GE(recording.epochs[0].fragments.size(), 2U);
}

TEST(SessionTest, AsksForAKeyframeWhenTold) {
  ReceiverOptions options = Call::ShortFragments();
  options.recorder.target_fragment_ms = 18'000;
  Call call(options);
  ASSERT_TRUE(call.Start());
  // The recorder itself asks for the second fragment, then not for a long time.
  ASSERT_TRUE(call.WaitForFragments(1));
  ASSERT_TRUE(call.WaitForMedia(call.events().All<MediaDataEvent>().size() + 10));
  call.receiver().RequestKeyframe();
  ASSERT_TRUE(call.WaitForFragments(2));
}

TEST(SessionEndTest, StopsTwiceAndBeforeItStarted) {
  const auto events = std::make_shared<EventLog>();
  ReceiverSession receiver({}, events);
  receiver.Stop(milliseconds(1'000));
  receiver.Stop(milliseconds(1'000));
  ASSERT_TRUE(events->WaitForEvent<ClosedEvent>("the session's end"));
  EXPECT_TRUE(receiver.Join(kPatience));
  receiver.Start();
  receiver.Stop(milliseconds(0));
  receiver.SetRemoteAnswer("late");
  receiver.AddRemoteCandidate(0, "late");
  receiver.RequestKeyframe();
  EXPECT_EQ(events->events().size(), 1U);
}

TEST(SessionEndTest, StartsOnlyOnce) {
  const auto events = std::make_shared<EventLog>();
  ReceiverSession receiver({}, events);
  receiver.Start();
  receiver.Start();
  ASSERT_TRUE(events->WaitForEvent<LocalDescriptionEvent>("an offer"));
  receiver.Stop(milliseconds(1'000));
  receiver.Stop(milliseconds(0));
  ASSERT_TRUE(events->WaitForEvent<ClosedEvent>("the session's end"));
  EXPECT_EQ(events->All<LocalDescriptionEvent>().size(), 1U);
  EXPECT_EQ(events->All<ClosedEvent>().size(), 1U);
}

TEST(SessionEndTest, IsDestroyedAtOnce) {
  const auto events = std::make_shared<EventLog>();
  for (int i = 0; i < 5; ++i) const ReceiverSession receiver({}, events);
  for (int i = 0; i < 3; ++i) {
    ReceiverSession receiver({}, events);
    receiver.Start();
  }
  EXPECT_EQ(events->All<ClosedEvent>().size(), 8U);
}

TEST(SessionEndTest, IsReleasedWhileLive) {
  Call call;
  ASSERT_TRUE(call.Start());
  ASSERT_TRUE(call.WaitForMedia(10));
  Session::Release(call.TakeReceiver(), kPatience);
  Session::Release(call.TakePublisher(), kPatience);
  CheckRecording(call.events().events());
  EXPECT_EQ(call.publisher_events().All<ClosedEvent>().size(), 1U);
}

TEST(SessionEndTest, IsReleasedInTheMiddleOfADrain) {
  Call call;
  ASSERT_TRUE(call.Start());
  ASSERT_TRUE(call.WaitForMedia(10));
  auto receiver = call.TakeReceiver();
  receiver->Stop(milliseconds(60'000));
  Session::Release(std::move(receiver), kPatience);
  CheckRecording(call.events().events());
  auto publisher = call.TakePublisher();
  publisher->Stop(milliseconds(60'000));
  Session::Release(std::move(publisher), kPatience);
  EXPECT_EQ(call.publisher_events().All<ClosedEvent>().size(), 1U);
}

/// Destroys both sides as soon as the receiver has said something.
class DestroyedTest : public ::testing::TestWithParam<const char*> {};

TEST_P(DestroyedTest, Survives) {
  const std::string moment = GetParam();
  Call call;
  ASSERT_TRUE(call.Start());
  if (moment == "candidate") {
    ASSERT_TRUE(call.events().WaitForEvent<LocalCandidateEvent>("a candidate"));
  } else if (moment == "answer") {
    ASSERT_TRUE(call.publisher_events().WaitForEvent<LocalDescriptionEvent>("an answer"));
  } else if (moment == "connecting") {
    ASSERT_TRUE(call.events().WaitForEvent<ConnectionStateEvent>(
        "a connection under way", [](const auto& state) { return state.connection != "new"; }));
  } else if (moment == "connected") {
    ASSERT_TRUE(call.events().WaitForEvent<ConnectionStateEvent>(
        "a connection", [](const auto& state) { return state.connection == "connected"; }));
  } else {
    ASSERT_TRUE(call.events().WaitForEvent<TrackEvent>("a track"));
  }
}

INSTANTIATE_TEST_SUITE_P(Moments, DestroyedTest,
                         ::testing::Values("candidate", "answer", "connecting", "connected",
                                           "track"));

TEST(SessionInputTest, ASecondAnswerIsRefusedAndChangesNothing) {
  Call call;
  ASSERT_TRUE(call.Start());
  ASSERT_TRUE(call.WaitForMedia(5));
  const std::string answer = call.publisher_events().All<LocalDescriptionEvent>().at(0).sdp;
  call.receiver().SetRemoteAnswer(answer);
  ASSERT_TRUE(call.events().WaitForEvent<ErrorEvent>(
      "a refusal", [](const ErrorEvent& error) { return error.kind == ErrorKind::kBadPeerInput; }));
  ASSERT_TRUE(call.WaitForMedia(call.events().All<MediaDataEvent>().size() + 10));
  ExpectNoFatalError(call.events());
}

TEST(SessionInputTest, AnAnswerBeforeTheOfferIsRefused) {
  const auto events = std::make_shared<EventLog>();
  ReceiverSession receiver({}, events);
  receiver.SetRemoteAnswer(testing::ChromiumAnswer());
  receiver.Start();
  ASSERT_TRUE(events->WaitForEvent<LocalDescriptionEvent>("an offer"));
  ExpectNoFatalError(*events);
}

TEST(SessionInputTest, APublisherSaysWhyAnOfferIsNoGood) {
  for (const char* offer : {"", "rubbish", "v=0\r\ns=-\r\n"}) {
    const auto events = std::make_shared<EventLog>();
    PublisherOptions options;
    options.offer = offer;
    PublisherSession publisher(options, events);
    publisher.Start();
    ASSERT_TRUE(events->WaitForEvent<ClosedEvent>("the session's end"));
    const auto errors = events->All<ErrorEvent>();
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_TRUE(errors[0].fatal);
    EXPECT_EQ(errors[0].kind, ErrorKind::kBadPeerInput);
  }
}

TEST(SessionInputTest, AnUnusableIceServerIsAnOptionsError) {
  const auto events = std::make_shared<EventLog>();
  ReceiverOptions options;
  options.peer.ice_servers = {{"http://nowhere", "", ""}};
  ReceiverSession receiver(options, events);
  receiver.Start();
  ASSERT_TRUE(events->WaitForEvent<ClosedEvent>("the session's end"));
  ASSERT_EQ(events->All<ErrorEvent>().size(), 1U);
  EXPECT_EQ(events->All<ErrorEvent>()[0].kind, ErrorKind::kOptions);
}

}  // namespace
}  // namespace kvsbridge
