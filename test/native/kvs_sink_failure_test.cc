// What the sink does about a kvssink that fails, hangs or is taken away.
#include <gtest/gtest.h>

#include "kvs_sink_rig.h"

namespace kvsbridge::testing {
namespace {

constexpr std::chrono::milliseconds kShort(50);

/// The reason that came with a state.
std::string ReasonOf(const EventLog& log, const std::string& state) {
  for (const auto& event : log.All<SinkStateEvent>()) {
    if (event.state == state) return event.reason;
  }
  return "";
}

TEST_F(KvsSinkTest, SaysWhyAnElementDidNotConnect) {
  FakeKvsElement::Set({.refuse_to_connect = true});
  BeginEpoch(0);
  Fragment(0);
  ASSERT_TRUE(WaitForState(0, "failed"));
  EXPECT_NE(ReasonOf(log_, "failed").find("0x52000010"), std::string::npos);
  EndEpoch();
  Drain();
  EXPECT_TRUE(FakeKvsElement::taken().empty());
}

TEST_F(KvsSinkTest, TakesAnElementThatDoesNotConnectInTimeForFailed) {
  options_.limits.connect = kShort;
  options_.limits.stop_grace = kShort;
  MakeSink(options_);
  FakeKvsElement::Set({.hang_while_connecting = true});
  BeginEpoch(0);
  ASSERT_TRUE(WaitForState(0, "failed"));
  EXPECT_NE(ReasonOf(log_, "failed").find("in time"), std::string::npos);
  EndEpoch();
  Drain();
  EXPECT_TRUE(WaitForState(0, "abandoned"));
}

TEST_F(KvsSinkTest, GivesAnElementNothingMoreOnceItFailedInMidFragment) {
  FakeKvsElement::Set({.fail_at_frame = 1});
  BeginEpoch(0);
  Run([this] {
    sink_->BeginFragment(kStartMs, {});
    sink_->WriteVideo(Video(0, true));
    sink_->WriteVideo(Video(33, false));
  });
  ASSERT_TRUE(WaitForState(0, "failed"));
  EXPECT_NE(ReasonOf(log_, "failed").find("0x52000065"), std::string::npos);
  Run([this] {
    sink_->WriteVideo(Video(66, false));
    sink_->EndFragment({kStartMs, 99, 3, 0, 0});
  });
  EndEpoch();
  Drain();
  // What the element did not take is told of, but never as acknowledged.
  EXPECT_EQ(FakeKvsElement::taken().size(), 1U);
  ASSERT_EQ(log_.All<FragmentEndEvent>().size(), 1U);
  EXPECT_EQ(log_.All<FragmentEndEvent>()[0].video_frames, 3U);
  EXPECT_TRUE(log_.All<SinkAckEvent>().empty());
}

TEST_F(KvsSinkTest, GoesOnAfterARefusedFrame) {
  FakeKvsElement::Set({.refuse_frame = 1});
  BeginEpoch(0);
  Fragment(0);
  Fragment(1'000);
  ASSERT_TRUE(WaitForState(0, "frameRefused"));
  EXPECT_NE(ReasonOf(log_, "frameRefused").find("0x3200000c"), std::string::npos);
  EndEpoch();
  Drain();
  EXPECT_EQ(FakeKvsElement::taken().size(), 3U);
  EXPECT_EQ(ReasonOf(log_, "failed"), "");
}

TEST_F(KvsSinkTest, LeavesAnElementBehindThatHangsWhileItStops) {
  options_.limits.stop_grace = kShort;
  MakeSink(options_);
  FakeKvsElement::Set({.hang_while_stopping = true});
  BeginEpoch(0);
  Fragment(0);
  EndEpoch();
  Drain();
  EXPECT_TRUE(WaitForState(0, "abandoned"));
  EXPECT_EQ(FakeKvsElement::alive(), 1);
  // Its acknowledgements count nevertheless.
  FakeKvsElement::Acknowledge(3, kStartMs);
  EXPECT_TRUE(log_.WaitForEvent<SinkAckEvent>("a late acknowledgement"));
}

TEST_F(KvsSinkTest, EndsWhileTheElementHangsInConnecting) {
  options_.limits.stop_grace = kShort;
  MakeSink(options_);
  FakeKvsElement::Set({.hang_while_connecting = true});
  BeginEpoch(0);
  Fragment(0);
  EndEpoch();
  Drain();
  EXPECT_TRUE(WaitForState(0, "abandoned"));
}

// The rig takes the sink away at the end of each test, and waits until no element is left.

TEST_F(KvsSinkTest, CanGoWhileTheElementConnects) {
  FakeKvsElement::Set({.hang_while_connecting = true});
  BeginEpoch(0);
  Fragment(0);
  ASSERT_TRUE(FakeKvsElement::WaitUntilAlive(1));
}

TEST_F(KvsSinkTest, CanGoWhileTheElementTakesFrames) {
  BeginEpoch(0);
  Fragment(0);
  ASSERT_TRUE(WaitForFrames(1));
}

TEST_F(KvsSinkTest, CanGoWhileOneElementStopsAndTheNextOneWaits) {
  FakeKvsElement::Set({.hang_while_stopping = true});
  BeginEpoch(0);
  Fragment(0);
  EndEpoch();
  BeginEpoch(1);
  Fragment(1'000);
  ASSERT_TRUE(WaitForState(1, "open"));
}

TEST_F(KvsSinkTest, CanGoAfterTheElementFailed) {
  FakeKvsElement::Set({.fail_at_frame = 0});
  BeginEpoch(0);
  Fragment(0);
  ASSERT_TRUE(WaitForState(0, "failed"));
}

TEST_F(KvsSinkTest, CanGoWhileAcknowledgementsArrive) {
  BeginEpoch(0);
  ASSERT_TRUE(WaitForState(0, "open"));
  for (std::uint64_t i = 0; i < 200; ++i) FakeKvsElement::Acknowledge(2, i);
}

}  // namespace
}  // namespace kvsbridge::testing
