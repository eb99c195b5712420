#include "binding/js_event_sink.h"

#include <utility>

#include "binding/event_conversion.h"

namespace kvsbridge::binding {
namespace {

std::size_t MediaBytes(const Event& event) {
  const auto* media = std::get_if<MediaDataEvent>(&event);
  return media == nullptr ? 0 : media->data.size();
}

}  // namespace

std::shared_ptr<JsEventSink> JsEventSink::Create(Napi::Env env, const Napi::Function& callback) {
  auto sink = std::make_shared<JsEventSink>();
  auto context = std::make_unique<Context>(Context{sink});
  // Unlimited here: the queue above is the bound, and one call at most is pending.
  sink->function_ = ThreadSafeFunction::New(
      env, callback, "kvs-bridge events", 0, 1, context.release(),
      [](Napi::Env /*env*/, void* /*data*/, Context* held) { delete held; },
      static_cast<void*>(nullptr));
  return sink;
}

void JsEventSink::Emit(Event event) {
  queue_.With([&](Queue& queue) {
    if (queue.closed) return;
    queue.media_bytes += MediaBytes(event);
    queue.events.push_back(std::move(event));
    // Under the lock: a call must never meet a close (nodejs/node#38775).
    if (!std::exchange(queue.call_pending, true)) function_.NonBlockingCall();
  });
}

bool JsEventSink::IsFull() const {
  return queue_.With([](const Queue& queue) { return queue.media_bytes >= kMaxQueuedBytes; });
}

void JsEventSink::Close() {
  queue_.With([this](Queue& queue) {
    if (std::exchange(queue.closed, true)) return;
    queue.events.clear();
    function_.Release();
  });
}

std::deque<Event> JsEventSink::TakeAll() {
  return queue_.With([](Queue& queue) {
    queue.call_pending = false;
    queue.media_bytes = 0;
    return std::exchange(queue.events, {});
  });
}

void JsEventSink::CallJs(Napi::Env env, Napi::Function callback, Context* context,
                         std::nullptr_t* /*data*/) {
  // The environment is going away: nobody is left to tell.
  if (env == nullptr || callback == nullptr) return;
  const Napi::HandleScope scope(env);
  auto events = context->sink->TakeAll();
  if (events.empty()) return;
  auto array = Napi::Array::New(env, events.size());
  std::uint32_t index = 0;
  for (auto& event : events) array.Set(index++, ToJs(env, std::move(event)));
  callback.Call({array});
}

}  // namespace kvsbridge::binding
