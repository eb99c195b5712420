#include "media/sinks/kvs_sink.h"

#include <gtest/gtest.h>

#include "kvs_sink_rig.h"
#include "media/sinks/kvs_caps.h"
#include "recorder_rig.h"

namespace kvsbridge::testing {
namespace {

TEST_F(KvsSinkTest, NamesTheCodecsBeforeTheElementLeavesNull) {
  BeginSoundEpoch(0);
  ASSERT_TRUE(WaitForState(0, "open"));
  auto caps = FakeKvsElement::caps();
  ASSERT_EQ(caps.size(), 2U);
  std::sort(caps.begin(), caps.end());
  EXPECT_EQ(caps[0].rfind("audio/mpeg, mpegversion=(int)4, stream-format=(string)raw", 0), 0U);
  EXPECT_EQ(caps[1].rfind("video/x-h264, stream-format=(string)avc", 0), 0U);
  for (const auto& text : caps) {
    EXPECT_NE(text.find("codec_data=(buffer)"), std::string::npos) << text;
    EXPECT_EQ(text.find(';'), std::string::npos) << "more than one choice: " << text;
  }
}

TEST_F(KvsSinkTest, HandsFramesOverAsTheElementNeedsThem) {
  BeginEpoch(0);
  Fragment(0);
  Fragment(1'000);
  EndEpoch();
  Drain();
  const auto taken = FakeKvsElement::taken();
  ASSERT_EQ(taken.size(), 4U);
  for (std::size_t i = 0; i < taken.size(); ++i) {
    EXPECT_EQ(taken[i].delta, i % 2 == 1) << i;
    EXPECT_FALSE(taken[i].discont) << i;
    EXPECT_EQ(taken[i].pts_ns, taken[i].dts_ns) << i;
  }
  EXPECT_EQ(taken[2].pts_ns, (kStartMs + 1'000) * kNsPerMs);
  EXPECT_EQ(taken[0].tags, std::vector<std::string>{"at=0"});
  EXPECT_EQ(taken[2].tags, std::vector<std::string>{"at=1000"});
  EXPECT_EQ(log_.All<FragmentEndEvent>().at(0).bytes, 20U);
  EXPECT_EQ(FakeKvsElement::alive(), 0);
}

TEST_F(KvsSinkTest, PassesAcknowledgementsOn) {
  BeginEpoch(3);
  ASSERT_TRUE(WaitForState(3, "open"));
  for (int type = 0; type <= 6; ++type) FakeKvsElement::Acknowledge(type, 5'000 + type, 4'004);
  FakeKvsElement::Acknowledge(3, 9'000, 0, 1);  // a structure of another version
  ASSERT_TRUE(log_.WaitForCount<SinkAckEvent>("acknowledgements", 5));
  EndEpoch();
  Drain();
  const auto acks = log_.All<SinkAckEvent>();
  ASSERT_EQ(acks.size(), 5U);
  const std::vector<std::string> types = {"buffering", "received", "persisted", "error", "idle"};
  for (std::size_t i = 0; i < acks.size(); ++i) {
    EXPECT_EQ(acks[i].epoch, 3U);
    EXPECT_EQ(acks[i].type, types[i]);
    EXPECT_EQ(acks[i].timecode_ms, 5'001 + static_cast<std::int64_t>(i));
    EXPECT_EQ(acks[i].fragment_number, "42");
    EXPECT_EQ(acks[i].error_id, types[i] == "error" ? 4'004U : 0U);
  }
}

TEST_F(KvsSinkTest, TellsOfAFailedStreamOnceWithTheStatusThatTheSdkMeant) {
  BeginEpoch(0);
  Fragment(0);
  ASSERT_TRUE(WaitForFrames(2));
  // The element passes 32 bits for 64: the upper half is noise.
  FakeKvsElement::FailStream(0xDEADBEEF'52000065U);
  FakeKvsElement::FailStream(0x52000065U);
  ASSERT_TRUE(WaitForState(0, "failed"));
  EndEpoch();
  Drain();
  unsigned failures = 0;
  for (const auto& event : log_.All<SinkStateEvent>()) {
    if (event.state != "failed") continue;
    ++failures;
    EXPECT_EQ(event.status, 0x52000065U);
  }
  EXPECT_EQ(failures, 1U);
  EXPECT_EQ(FakeKvsElement::alive(), 0);
}

TEST_F(KvsSinkTest, KeepsFramesWhileTheElementConnectsAndSaysWhenThereIsNoRoom) {
  FakeKvsElement::Set({.hang_while_connecting = true});
  BeginEpoch(0);
  Fragment(0);
  Run([&] {
    EXPECT_TRUE(sink_->HasRoom());
    sink_->WriteVideo(Video(100, false, 2'000));
    EXPECT_FALSE(sink_->HasRoom());
  });
  EXPECT_TRUE(FakeKvsElement::taken().empty());
  FakeKvsElement::Release();
  EndEpoch();
  Drain();
  EXPECT_EQ(FakeKvsElement::taken().size(), 3U);
}

TEST_F(KvsSinkTest, GivesEveryEpochAFreshElementThatWaitsForTheOneBefore) {
  FakeKvsElement::Set({.hang_while_stopping = true});
  BeginEpoch(0);
  Fragment(0);
  EndEpoch();
  BeginEpoch(1);
  Fragment(1'000);
  ASSERT_TRUE(WaitForState(1, "open"));
  ASSERT_TRUE(WaitForFrames(2));
  // The loop is free while the old element stops, and the new one has not begun.
  Run([this] { EXPECT_TRUE(sink_->HasRoom()); });
  EXPECT_EQ(FakeKvsElement::alive(), 2);
  EXPECT_EQ(FakeKvsElement::taken().size(), 2U);
  FakeKvsElement::Release();
  ASSERT_TRUE(WaitForState(0, "closed"));
  EndEpoch();
  Drain();
  EXPECT_EQ(FakeKvsElement::taken().size(), 4U);
}

TEST_F(KvsSinkTest, WaitsForTheElementBeforeNoLongerThanAllowed) {
  options_.limits.handover = std::chrono::milliseconds(20);
  MakeSink(options_);
  FakeKvsElement::Set({.hang_while_stopping = true});
  BeginEpoch(0);
  Fragment(0);
  ASSERT_TRUE(WaitForFrames(2));
  EndEpoch();
  BeginEpoch(1);
  Fragment(1'000);
  EXPECT_TRUE(WaitForFrames(4));
  EXPECT_EQ(FakeKvsElement::alive(), 2);
}

TEST_F(KvsSinkTest, SendsWhatTheElementCannotStoreToPutMedia) {
  BeginAudioEpoch(0);
  const auto epochs = log_.All<EpochEvent>();
  ASSERT_EQ(epochs.size(), 1U);
  EXPECT_EQ(epochs[0].sink, "putmedia");
  EXPECT_FALSE(epochs[0].header.empty());
  EndEpoch();
  Drain();
  EXPECT_TRUE(FakeKvsElement::caps().empty());
  Epoch epoch;
  epoch.video = MakeFormat(640, 360);
  EXPECT_TRUE(KvsSinkCanStore(epoch));
  epoch.reordered = true;
  EXPECT_FALSE(KvsSinkCanStore(epoch));
}

TEST(KvsCapsTest, NameEveryCodecAsTheElementExpectsIt) {
  const auto text = [](const CapsPtr& caps) { return GCharPtr(gst_caps_to_string(caps.get())); };
  VideoFormat hevc = *MakeFormat(640, 360);
  hevc.codec = VideoCodec::kH265;
  const auto video = text(KvsVideoCaps(hevc));
  EXPECT_NE(std::string(video.get()).find("video/x-h265, stream-format=(string)hvc1"),
            std::string::npos);
  const auto alaw = text(KvsAudioCaps(*G711Format(AudioCodec::kAlaw)));
  EXPECT_STREQ(alaw.get(), "audio/x-alaw, rate=(int)8000, channels=(int)1");
  const auto mulaw = text(KvsAudioCaps(*G711Format(AudioCodec::kMulaw)));
  EXPECT_STREQ(mulaw.get(), "audio/x-mulaw, rate=(int)8000, channels=(int)1");
}

}  // namespace
}  // namespace kvsbridge::testing
