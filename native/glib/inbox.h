// A queue from streaming threads into a session's loop thread.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "glib/loop_thread.h"

namespace kvsbridge {

/// Collects items from any thread and hands them to the loop in order, with one wake-up for all
/// that arrived since the last. Copyable handle; the queue lives as long as any copy.
template <typename T>
class Inbox {
 public:
  /// @param deliver called on the loop thread with everything that waits
  Inbox(LoopPoster poster, std::function<void(std::vector<T>)> deliver)
      : shared_(std::make_shared<Shared>(std::move(poster), std::move(deliver))) {}

  /// Adds an item and wakes the loop. Any thread, never blocks.
  void Push(T item) const {
    const bool must_wake = shared_->queue.With([&item](Queue& queue) {
      queue.items.push_back(std::move(item));
      return !std::exchange(queue.wakes, true);
    });
    if (must_wake) shared_->poster.Post([shared = shared_] { shared->Deliver(); });
  }

  /// Adds an item that can wait for the next `Push` or `Drain`. Any thread, never blocks.
  void Leave(T item) const {
    shared_->queue.With([&item](Queue& queue) {
      queue.items.push_back(std::move(item));
      return true;
    });
  }

  /// Delivers what waits. On the loop thread.
  void Drain() const { shared_->Deliver(); }

  /// Delivers nothing any more, whoever still pushes. On the loop thread, or when it has ended.
  void Close() const { shared_->deliver = nullptr; }

 private:
  struct Queue {
    std::vector<T> items;
    bool wakes = false;  ///< the loop has been woken, and has not looked yet
  };
  struct Shared {
    Shared(LoopPoster loop_poster, std::function<void(std::vector<T>)> deliver_items)
        : poster(std::move(loop_poster)), deliver(std::move(deliver_items)) {}

    void Deliver() {
      auto items = queue.With([](Queue& waiting) {
        waiting.wakes = false;
        return std::exchange(waiting.items, {});
      });
      if (deliver && !items.empty()) deliver(std::move(items));
    }

    LoopPoster poster;
    std::function<void(std::vector<T>)> deliver;
    Guarded<Queue> queue;
  };

  std::shared_ptr<Shared> shared_;
};

}  // namespace kvsbridge
