// Carries a session's events to JavaScript.
#pragma once

#include <napi.h>

#include <deque>
#include <memory>

#include "glib/loop_thread.h"
#include "media/events.h"

namespace kvsbridge::binding {

/// One bounded queue per session and one thread-safe function that empties it on the Node thread:
/// the callback gets an array of all events that waited, in order.
///
/// Bounded: media stops (IsFull) when JavaScript lags by `kMaxQueuedBytes`; other events are small
/// and few.
class JsEventSink final : public EventSink, public std::enable_shared_from_this<JsEventSink> {
 public:
  /// How much media may wait for JavaScript: four minutes at 2 Mbit/s.
  static constexpr std::size_t kMaxQueuedBytes = 64UL * 1024 * 1024;

  /// Node thread. @param callback `(events: NativeEvent[]) => void`
  static std::shared_ptr<JsEventSink> Create(Napi::Env env, const Napi::Function& callback);

  /// Any thread.
  void Emit(Event event) override;
  [[nodiscard]] bool IsFull() const override;

  /// Node thread. Nothing is delivered afterwards. Idempotent.
  void Close();

 private:
  struct Queue {
    std::deque<Event> events;
    std::size_t media_bytes = 0;
    bool call_pending = false;
    bool closed = false;
  };
  struct Context {
    std::shared_ptr<JsEventSink> sink;
  };
  static void CallJs(Napi::Env env, Napi::Function callback, Context* context,
                     std::nullptr_t* data);
  using ThreadSafeFunction = Napi::TypedThreadSafeFunction<Context, std::nullptr_t, CallJs>;

  std::deque<Event> TakeAll();

  mutable Guarded<Queue> queue_;
  ThreadSafeFunction function_;
};

}  // namespace kvsbridge::binding
