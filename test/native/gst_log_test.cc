// GStreamer's log as it is collected: whole where there is room, counted where there is none, and
// never in the way of who logs.
#include "media/gst_log.h"

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "glib/ptr.h"
#include "media/gstreamer.h"

namespace kvsbridge {
namespace {

GST_DEBUG_CATEGORY_STATIC(test_category);
#define GST_CAT_DEFAULT test_category

class GstLogTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    InitializeGStreamer();
    GST_DEBUG_CATEGORY_INIT(test_category, "kvsb-test", 0, "of this test");
  }
  void TearDown() override { StopGstLog(); }

  /// What this test's own category said.
  static std::vector<GstLogLine> Take() {
    auto lines = TakeGstLog().lines;
    lines.erase(std::remove_if(lines.begin(), lines.end(),
                               [](const GstLogLine& line) { return line.category != "kvsb-test"; }),
                lines.end());
    return lines;
  }
};

TEST_F(GstLogTest, TellsLevelCategoryObjectAndMessage) {
  StartGstLog("kvsb-test:4");
  const auto element = ElementPtr::Sink(gst_element_factory_make("identity", "the-element"));
  GST_ERROR_OBJECT(element.get(), "went wrong: %d", 42);
  GST_INFO("nobody in particular");
  const auto lines = Take();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].level, 1);
  EXPECT_EQ(lines[0].object, "the-element");
  EXPECT_EQ(lines[0].message, "went wrong: 42");
  EXPECT_EQ(lines[1].level, 4);
  EXPECT_EQ(lines[1].object, "");
  EXPECT_TRUE(Take().empty());
}

TEST_F(GstLogTest, KeepsToTheThresholdsOfEachCategory) {
  StartGstLog("*:6,kvsb-test:2");
  GST_WARNING("shown");
  GST_INFO("not shown, though others' threshold lets it come that far");
  ASSERT_EQ(Take().size(), 1U);
  StartGstLog("kvsb-test:4");
  GST_INFO("shown now");
  EXPECT_EQ(Take().size(), 1U);
}

TEST_F(GstLogTest, MakesGStreamerPrintNoMoreThanWasAskedFor) {
  StartGstLog("1,kvsb-test:5");
  EXPECT_EQ(_gst_debug_min, GST_LEVEL_DEBUG);
  StartGstLog("1");
  EXPECT_EQ(_gst_debug_min, GST_LEVEL_ERROR);
  StopGstLog();
  EXPECT_EQ(_gst_debug_min, GST_LEVEL_NONE);
}

TEST_F(GstLogTest, CountsWhatThereIsNoRoomFor) {
  StartGstLog("kvsb-test:5");
  for (unsigned i = 0; i < kMaxGstLogLines + 1'000; ++i) GST_DEBUG("line %u", i);
  const auto batch = TakeGstLog();
  EXPECT_EQ(batch.lines.size(), kMaxGstLogLines);
  EXPECT_EQ(batch.dropped, 1'000U);
  // The oldest stay: they are what led to the rest.
  EXPECT_EQ(batch.lines.front().message, "line 0");
  GST_DEBUG("and on it goes");
  EXPECT_EQ(Take().size(), 1U);
}

TEST_F(GstLogTest, MakesTextOfWhatIsNone) {
  StartGstLog("kvsb-test:5");
  GST_DEBUG("%s", "caf\xC3\xA9 \xFF\xFE");
  const std::string long_text(3 * kMaxGstLogMessage, 'x');
  GST_DEBUG("%s", long_text.c_str());
  const auto lines = Take();
  ASSERT_EQ(lines.size(), 2U);
  for (const auto& line : lines) {
    EXPECT_EQ(g_utf8_validate(line.message.c_str(), -1, nullptr), TRUE);
  }
  EXPECT_EQ(lines[0].message.rfind("caf\xC3\xA9 ", 0), 0U);
  EXPECT_EQ(lines[1].message.size(), kMaxGstLogMessage);
}

TEST_F(GstLogTest, GivesTheDefaultOutputBack) {
  ::testing::internal::CaptureStderr();
  StartGstLog("kvsb-test:2");
  GST_WARNING("collected");
  StopGstLog();
  StopGstLog();
  gst_debug_set_threshold_from_string("kvsb-test:2", TRUE);
  GST_WARNING("printed");
  gst_debug_set_threshold_from_string("0", TRUE);
  const std::string printed = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(printed.find("collected"), std::string::npos);
  EXPECT_NE(printed.find("printed"), std::string::npos);
  EXPECT_TRUE(Take().empty());
}

// Under TSan this is the test of the queue; everywhere, that no line is lost without being counted.
TEST_F(GstLogTest, CountsEachLineOfManyThreadsOnce) {
  constexpr unsigned kThreads = 4;
  constexpr unsigned kLines = 2'000;
  StartGstLog("kvsb-test:5");
  std::atomic<unsigned> running{kThreads};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&running] {
      for (unsigned line = 0; line < kLines; ++line) GST_DEBUG("line %u", line);
      running.fetch_sub(1);
    });
  }
  std::size_t seen = 0;
  std::uint64_t dropped = 0;
  const auto take = [&] {
    const auto batch = TakeGstLog();
    EXPECT_LE(batch.lines.size(), kMaxGstLogLines);
    seen += batch.lines.size();
    dropped += batch.dropped;
  };
  while (running.load() > 0) take();
  for (auto& thread : threads) thread.join();
  take();
  EXPECT_EQ(seen + dropped, std::uint64_t{kThreads} * kLines);
  EXPECT_GT(seen, 0U);
}

}  // namespace
}  // namespace kvsbridge
