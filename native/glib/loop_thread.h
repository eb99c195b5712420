// The session's own thread: a GMainLoop that owns the pipeline.
#pragma once

#include <glib.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace kvsbridge {

struct LoopShared;

/// A copyable handle that posts tasks to a loop thread. It may outlive the thread: tasks posted
/// after the loop ended are dropped.
class LoopPoster {
 public:
  using Task = std::function<void()>;

  explicit LoopPoster(std::shared_ptr<LoopShared> shared) : shared_(std::move(shared)) {}

  /// Runs `task` on the loop thread, in order of posting. Any thread. Never inline on the caller,
  /// as `g_main_context_invoke` may.
  void Post(Task task) const;

 private:
  std::shared_ptr<LoopShared> shared_;
};

/// A thread that runs a GLib main loop on a main context of its own.
///
/// Everything that changes pipeline state runs here. Other threads (Node, streaming, webrtcbin's
/// `:pc`) copy what they need, `Post` it and return.
class LoopThread {
 public:
  using Task = LoopPoster::Task;

  /// Starts the thread. @param name shown in debuggers, at most 15 characters are kept by Linux.
  explicit LoopThread(const std::string& name);
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  /// Quits the loop and joins. Never call it on the loop thread itself.
  ~LoopThread();

  /// See LoopPoster::Post.
  void Post(Task task) const { poster().Post(std::move(task)); }

  /// A handle for callbacks that may fire while the session goes away.
  [[nodiscard]] LoopPoster poster() const { return LoopPoster(shared_); }

  /// Ends the loop after the tasks posted so far. Any thread, any number of times.
  void Quit();

  /// Waits until the thread has left its loop. Any thread but the loop's.
  /// @return false when the deadline passed first; the thread is then still running
  bool WaitUntilFinished(std::chrono::milliseconds deadline);

  /// Waits until the thread has left its loop, after someone called Quit. Any thread but the
  /// loop's.
  void Join();

  /// Leaves the thread to itself, which a task may keep from ever ending: the destructor waits no
  /// more. Any thread but the loop's; nothing else may be called afterwards.
  void Abandon();

  /// The context that sources and bus watches of this session attach to. Borrowed.
  [[nodiscard]] GMainContext* context() const;

  /// True when called on the loop thread.
  [[nodiscard]] bool IsCurrent() const;

 private:
  /// What the thread itself needs, shared with it and with every poster.
  std::shared_ptr<LoopShared> shared_;
  std::thread thread_;
};

/// A one-shot or repeating timer on a loop thread. Create, destroy and fire only on that thread.
class LoopTimer {
 public:
  LoopTimer() = default;
  /// @param repeat false: fires once after `interval`; true: until destroyed.
  LoopTimer(const LoopThread& loop, std::chrono::milliseconds interval, bool repeat,
            LoopThread::Task task);
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;
  LoopTimer(LoopTimer&& other) noexcept;
  LoopTimer& operator=(LoopTimer&& other) noexcept;
  ~LoopTimer();

  [[nodiscard]] bool armed() const;
  void Cancel();

 private:
  GSource* source_ = nullptr;
};

/// A mutex-guarded value for the few places where threads must meet. Keeps raw mutexes out of
/// the media code.
template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  /// Runs `function(T&)` under the lock and returns what it returns. Keep it short.
  template <typename Function>
  auto With(Function function) {
    std::lock_guard<std::mutex> lock(mutex_);
    return function(value_);
  }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace kvsbridge
