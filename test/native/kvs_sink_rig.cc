#include "kvs_sink_rig.h"

#include <future>

#include "media/gstreamer.h"
#include "recorder_rig.h"

namespace kvsbridge::testing {

void KvsSinkTest::SetUp() {
  InitializeGStreamer();
  FakeKvsElement::Install();
  options_.queue_bytes = 1'000;
  options_.stop_timeout_s = 0;
  options_.limits = {kPatience, kPatience, kPatience};
  MakeSink(options_);
}

void KvsSinkTest::TearDown() {
  Run([this] { sink_.reset(); });
  FakeKvsElement::Release();
  EXPECT_TRUE(FakeKvsElement::WaitUntilAlive(0)) << "an element was never stopped";
  loop_.Quit();
  loop_.Join();
}

void KvsSinkTest::Run(const std::function<void()>& task) {
  std::promise<void> done;
  loop_.Post([&] {
    task();
    done.set_value();
  });
  ASSERT_EQ(done.get_future().wait_for(kPatience), std::future_status::ready) << "the loop hangs";
}

void KvsSinkTest::MakeSink(const KvsSinkOptions& options) {
  Run([&] { sink_ = std::make_unique<EpochSinks>(options, loop_, log_); });
}

void KvsSinkTest::Begin(unsigned number, bool video, bool audio) {
  Run([&] {
    Epoch epoch;
    epoch.number = number;
    epoch.timecode_ms = kStartMs;
    if (video) epoch.video = MakeFormat(640, 360);
    if (audio) epoch.audio = AacFormat();
    sink_->BeginEpoch(epoch);
  });
}

void KvsSinkTest::Fragment(std::int64_t offset_ms) {
  Run([&] {
    sink_->BeginFragment(kStartMs + offset_ms, {{"at", std::to_string(offset_ms)}});
    sink_->WriteVideo(Video(offset_ms, true));
    sink_->WriteVideo(Video(offset_ms + 33, true));
    sink_->EndFragment({kStartMs + offset_ms, 66, 2, 0, 0});
  });
}

VideoFrame KvsSinkTest::Video(std::int64_t offset_ms, bool keyframe, gsize bytes) {
  VideoFrame frame;
  frame.pts_ns = (kStartMs + offset_ms) * kNsPerMs;
  frame.dts_ns = frame.pts_ns;
  frame.keyframe = keyframe;
  frame.data = BufferPtr::Adopt(gst_buffer_new_allocate(nullptr, bytes, nullptr));
  GST_BUFFER_FLAG_SET(frame.data.get(), GST_BUFFER_FLAG_DISCONT);
  return frame;
}

void KvsSinkTest::EndEpoch() {
  Run([this] { sink_->EndEpoch(); });
}

void KvsSinkTest::Drain() {
  // Shared, since a sink that never drains would answer after the test.
  const auto drained = std::make_shared<std::promise<void>>();
  Run([&] { sink_->Drain([drained] { drained->set_value(); }); });
  ASSERT_EQ(drained->get_future().wait_for(kPatience), std::future_status::ready);
}

bool KvsSinkTest::WaitForState(unsigned epoch, const std::string& state) {
  return log_.WaitForEvent<SinkStateEvent>(state.c_str(), [&](const SinkStateEvent& event) {
    return event.epoch == epoch && event.state == state;
  });
}

bool KvsSinkTest::WaitForFrames(std::size_t count) { return FakeKvsElement::WaitForTaken(count); }

}  // namespace kvsbridge::testing
