// Collects a session's events and lets a test wait for one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "media/events.h"

namespace kvsbridge::testing {

/// How long anything that must happen may take on a machine that is busy and instrumented.
constexpr std::chrono::seconds kPatience(40);

class EventLog final : public EventSink {
 public:
  using Listener = std::function<void(const Event&)>;

  /// Any thread. `listener` hears every event on the thread that emits it.
  explicit EventLog(Listener listener = {}) : listener_(std::move(listener)) {}

  void Emit(Event event) override;
  [[nodiscard]] bool IsFull() const override;
  void set_full(bool full);

  using Condition = std::function<bool(const std::vector<Event>&)>;

  /// Waits until `done(events)`. Fails the test and returns false after kPatience.
  bool WaitFor(const char* what, const Condition& done);
  /// Waits for what may never happen. Returns whether it did.
  bool WaitUpTo(std::chrono::milliseconds limit, const Condition& done);

  /// Waits for an event of this type that fits.
  template <typename T>
  bool WaitForEvent(
      const char* what, const std::function<bool(const T&)>& fits = [](const T&) { return true; }) {
    return WaitFor(what, [&fits](const std::vector<Event>& events) {
      for (const auto& event : events) {
        const auto* found = std::get_if<T>(&event);
        if (found != nullptr && fits(*found)) return true;
      }
      return false;
    });
  }

  /// Waits until there are this many events of this type.
  template <typename T>
  bool WaitForCount(const char* what, std::size_t count) {
    return WaitFor(what, [count](const std::vector<Event>& events) {
      std::size_t found = 0;
      for (const auto& event : events) found += std::holds_alternative<T>(event) ? 1 : 0;
      return found >= count;
    });
  }

  [[nodiscard]] std::vector<Event> events() const;

  /// All events of one type so far.
  template <typename T>
  [[nodiscard]] std::vector<T> All() const {
    std::vector<T> found;
    for (const auto& event : events()) {
      if (const auto* match = std::get_if<T>(&event)) found.push_back(*match);
    }
    return found;
  }

 private:
  const Listener listener_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  std::vector<Event> events_;
  bool full_ = false;
};

}  // namespace kvsbridge::testing
