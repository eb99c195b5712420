// Lets threads that are about to exit do so before the process is searched for leaks.
//
// LeakSanitizer stops every thread and reads its thread-local storage; a thread in the middle of
// its exit has none any more, and the search itself crashes ("Tracer caught signal 11"). GLib's
// pools let idle threads go after a while, libnice and webrtcbin end theirs on their own time.
#include <glib.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>

namespace kvsbridge {
namespace {

std::size_t CountThreads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

class SettleThreads : public testing::Environment {
 public:
  void SetUp() override { at_start_ = CountThreads(); }

  void TearDown() override {
    constexpr auto kQuiet = std::chrono::milliseconds(1'000);
    constexpr auto kLimit = std::chrono::seconds(5);
    using Clock = std::chrono::steady_clock;
    g_thread_pool_stop_unused_threads();
    const auto limit = Clock::now() + kLimit;
    auto quiet_since = Clock::now();
    std::size_t threads = CountThreads();
    while (threads > at_start_ && Clock::now() < limit && Clock::now() - quiet_since < kQuiet) {
      g_usleep(20'000);
      const std::size_t now = CountThreads();
      if (now == threads) continue;
      threads = now;
      quiet_since = Clock::now();
    }
  }

 private:
  std::size_t at_start_ = 0;
};

// Every test program links this file; GoogleTest owns the environment.
[[maybe_unused]] const testing::Environment* const kSettleThreads =
    testing::AddGlobalTestEnvironment(new SettleThreads);

}  // namespace
}  // namespace kvsbridge
