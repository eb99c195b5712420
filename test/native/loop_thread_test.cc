// The loop thread: order, timers, and posters that outlive it.
#include "glib/loop_thread.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "glib/inbox.h"

namespace kvsbridge {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDeadline(10'000);

/// Runs `task` on the loop and waits for it.
void RunOn(const LoopThread& loop, const std::function<void()>& task) {
  std::promise<void> done;
  loop.Post([&] {
    task();
    done.set_value();
  });
  ASSERT_EQ(done.get_future().wait_for(kDeadline), std::future_status::ready);
}

TEST(LoopThreadTest, RunsTasksOnItsThreadInTheOrderOfPosting) {
  LoopThread loop("test-loop");
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) {
    loop.Post([&order, &loop, i] {
      EXPECT_TRUE(loop.IsCurrent());
      order.push_back(i);
    });
  }
  RunOn(loop, [] {});
  EXPECT_FALSE(loop.IsCurrent());
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(LoopThreadTest, RunsATaskThatATaskPostsAfterThoseThatWait) {
  LoopThread loop("test-loop");
  std::vector<int> order;
  RunOn(loop, [&] {
    loop.Post([&] { order.push_back(3); });
    order.push_back(1);
  });
  RunOn(loop, [] {});
  EXPECT_EQ(order, (std::vector<int>{1, 3}));
}

TEST(LoopThreadTest, KeepsTheOrderOfEachOfManyPostingThreads) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 500;
  LoopThread loop("test-loop");
  std::vector<std::pair<int, int>> seen;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&seen, thread, poster = loop.poster()] {
      for (int i = 0; i < kPosts; ++i)
        poster.Post([&seen, thread, i] { seen.emplace_back(thread, i); });
    });
  }
  for (auto& thread : threads) thread.join();
  RunOn(loop, [] {});
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(kThreads * kPosts));
  std::vector<int> next(kThreads, 0);
  for (const auto& [thread, i] : seen) EXPECT_EQ(i, next[static_cast<std::size_t>(thread)]++);
}

TEST(LoopThreadTest, QuitRunsWhatWasPostedBefore) {
  std::optional<LoopThread> loop(std::in_place, "test-loop");
  bool ran = false;
  loop->Post([&] { ran = true; });
  loop->Quit();
  loop->Quit();
  EXPECT_TRUE(loop->WaitUntilFinished(kDeadline));
  EXPECT_TRUE(ran);
  loop->Join();
  loop->Join();
}

TEST(LoopThreadTest, WaitsNoLongerThanItsDeadline) {
  LoopThread loop("test-loop");
  EXPECT_FALSE(loop.WaitUntilFinished(milliseconds(1)));
}

TEST(LoopThreadTest, IsDestroyedWithoutQuitOrTasks) {
  for (int i = 0; i < 20; ++i) const LoopThread loop("test-loop");
}

TEST(LoopThreadTest, APosterOutlivesTheThreadAndDropsItsTasks) {
  std::optional<LoopThread> loop(std::in_place, "test-loop");
  const LoopPoster poster = loop->poster();
  loop.reset();
  const auto alive = std::make_shared<int>(1);
  // A task that holds a poster must not keep the loop's remains, and with them itself.
  poster.Post([alive, poster] { FAIL() << "ran after the loop had ended"; });
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(LoopThreadTest, ReleasesWhatEachTaskCapturesBeforeTheNext) {
  LoopThread loop("test-loop");
  std::weak_ptr<int> weak;
  bool released = false;
  RunOn(loop, [&] {
    auto captured = std::make_shared<int>(1);
    weak = captured;
    loop.Post([captured = std::move(captured)] {});
    loop.Post([&] { released = weak.expired(); });
  });
  RunOn(loop, [] {});
  EXPECT_TRUE(released);
}

TEST(LoopThreadTest, SurvivesPostsThatRaceWithItsEnd) {
  for (int round = 0; round < 50; ++round) {
    std::optional<LoopThread> loop(std::in_place, "test-loop");
    const auto counter = std::make_shared<int>(0);  // touched by the loop thread only
    std::thread other([poster = loop->poster(), counter] {
      for (int i = 0; i < 50; ++i) poster.Post([counter, poster] { ++*counter; });
    });
    loop.reset();
    other.join();
    EXPECT_EQ(counter.use_count(), 1);
    EXPECT_LE(*counter, 50);
  }
}

TEST(LoopTimerTest, FiresOnceWithoutRepeat) {
  LoopThread loop("test-loop");
  std::promise<void> fired;
  LoopTimer timer;
  RunOn(loop, [&] {
    timer = LoopTimer(loop, milliseconds(1), false, [&] {
      EXPECT_TRUE(loop.IsCurrent());
      fired.set_value();  // throws when called twice
    });
    EXPECT_TRUE(timer.armed());
  });
  ASSERT_EQ(fired.get_future().wait_for(kDeadline), std::future_status::ready);
  RunOn(loop, [&] {
    EXPECT_FALSE(timer.armed());
    timer.Cancel();
  });
}

TEST(LoopTimerTest, RepeatsUntilCancelledFromWithin) {
  LoopThread loop("test-loop");
  int count = 0;
  std::promise<void> third;
  LoopTimer timer;
  RunOn(loop, [&] {
    timer = LoopTimer(loop, milliseconds(1), true, [&] {
      if (++count < 3) return;
      timer.Cancel();
      third.set_value();
    });
  });
  ASSERT_EQ(third.get_future().wait_for(kDeadline), std::future_status::ready);
  RunOn(loop, [&] { EXPECT_FALSE(timer.armed()); });
  EXPECT_EQ(count, 3);
}

TEST(LoopTimerTest, MovesAndReplacesWithoutFiringTheOldOne) {
  LoopThread loop("test-loop");
  std::promise<void> fired;
  LoopTimer timer;
  RunOn(loop, [&] {
    timer = LoopTimer(loop, milliseconds(1), false, [] { FAIL() << "was replaced"; });
    LoopTimer other(loop, milliseconds(20), false, [&] { fired.set_value(); });
    timer = std::move(other);
  });
  ASSERT_EQ(fired.get_future().wait_for(kDeadline), std::future_status::ready);
  RunOn(loop, [&] { timer.Cancel(); });
}

TEST(InboxTest, DeliversEverythingOnceInOrderOnTheLoop) {
  constexpr int kItems = 2'000;
  LoopThread loop("test-loop");
  std::vector<int> received;
  const Inbox<int> inbox(loop.poster(), [&](const std::vector<int>& items) {
    EXPECT_TRUE(loop.IsCurrent());
    EXPECT_FALSE(items.empty());
    received.insert(received.end(), items.begin(), items.end());
  });
  std::thread producer([inbox] {
    for (int i = 0; i < kItems; ++i) inbox.Push(i);
  });
  producer.join();
  RunOn(loop, [] {});
  ASSERT_EQ(received.size(), static_cast<std::size_t>(kItems));
  for (int i = 0; i < kItems; ++i) EXPECT_EQ(received[static_cast<std::size_t>(i)], i);
}

TEST(InboxTest, HandsOverInOneDeliveryWhatArrivesMeanwhile) {
  LoopThread loop("test-loop");
  std::vector<std::size_t> deliveries;
  const Inbox<int> inbox(
      loop.poster(), [&](const std::vector<int>& items) { deliveries.push_back(items.size()); });
  RunOn(loop, [&] {
    for (int i = 0; i < 10; ++i) inbox.Push(i);
  });
  RunOn(loop, [] {});
  EXPECT_EQ(deliveries, std::vector<std::size_t>{10});
}

TEST(InboxTest, OutlivesItsLoopWithoutLeakingWhatItHolds) {
  std::optional<LoopThread> loop(std::in_place, "test-loop");
  const auto item = std::make_shared<int>(1);
  {
    const Inbox<std::shared_ptr<int>> inbox(
        loop->poster(), [](const std::vector<std::shared_ptr<int>>& /*items*/) {});
    loop.reset();
    for (int i = 0; i < 10; ++i) inbox.Push(item);
  }
  EXPECT_EQ(item.use_count(), 1);
}

}  // namespace
}  // namespace kvsbridge
