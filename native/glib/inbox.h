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

  /// Adds an item. Any thread, never blocks.
  void Push(T item) const {
    const bool was_empty = shared_->items.With([&item](std::vector<T>& items) {
      items.push_back(std::move(item));
      return items.size() == 1;
    });
    if (!was_empty) return;
    shared_->poster.Post([shared = shared_] {
      auto items =
          shared->items.With([](std::vector<T>& waiting) { return std::exchange(waiting, {}); });
      if (shared->deliver) shared->deliver(std::move(items));
    });
  }

  /// Delivers nothing any more, whoever still pushes. On the loop thread, or when it has ended.
  void Close() const { shared_->deliver = nullptr; }

 private:
  struct Shared {
    Shared(LoopPoster loop_poster, std::function<void(std::vector<T>)> deliver_items)
        : poster(std::move(loop_poster)), deliver(std::move(deliver_items)) {}

    LoopPoster poster;
    std::function<void(std::vector<T>)> deliver;
    Guarded<std::vector<T>> items;
  };

  std::shared_ptr<Shared> shared_;
};

}  // namespace kvsbridge
