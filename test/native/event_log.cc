#include "event_log.h"

#include <gtest/gtest.h>

namespace kvsbridge::testing {

void EventLog::Emit(Event event) {
  if (listener_) listener_(event);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    events_.push_back(std::move(event));
  }
  changed_.notify_all();
}

bool EventLog::IsFull() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return full_;
}

void EventLog::set_full(bool full) {
  const std::lock_guard<std::mutex> lock(mutex_);
  full_ = full;
}

bool EventLog::WaitFor(const char* what, const Condition& done) {
  const bool happened = WaitUpTo(kPatience, done);
  EXPECT_TRUE(happened) << "waited in vain for " << what;
  return happened;
}

bool EventLog::WaitUpTo(std::chrono::milliseconds limit, const Condition& done) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return done(events_); });
}

std::vector<Event> EventLog::events() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return events_;
}

}  // namespace kvsbridge::testing
