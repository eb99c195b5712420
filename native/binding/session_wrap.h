// Sessions as JavaScript objects.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/js_event_sink.h"
#include "media/publisher/publisher_session.h"
#include "media/session/receiver_session.h"

namespace kvsbridge::binding {

/// What both kinds of session offer to JavaScript. Every method returns at once.
template <typename Derived, typename SessionType>
class SessionWrap : public Napi::ObjectWrap<Derived> {
 public:
  SessionWrap(const SessionWrap&) = delete;
  SessionWrap& operator=(const SessionWrap&) = delete;
  ~SessionWrap() override;

 protected:
  explicit SessionWrap(const Napi::CallbackInfo& info);

  /// `start()`, `addCandidate(sdpMLineIndex, candidate)`, `stop(deadlineMs)`, `dispose()`.
  void Start(const Napi::CallbackInfo& info);
  void AddCandidate(const Napi::CallbackInfo& info);
  void Stop(const Napi::CallbackInfo& info);
  void Dispose(const Napi::CallbackInfo& info);

  void Adopt(std::unique_ptr<SessionType> session) { session_ = std::move(session); }
  [[nodiscard]] const std::shared_ptr<JsEventSink>& events() const { return events_; }
  /// Null after dispose.
  [[nodiscard]] SessionType* session() const { return session_.get(); }

 private:
  static void OnEnvironmentExit(void* self);
  void End();

  std::shared_ptr<JsEventSink> events_;
  std::unique_ptr<SessionType> session_;
  bool hooked_ = true;  ///< the environment holds the clean-up hook that the constructor adds
};

/// `new Receiver(options, onEvents)`.
class ReceiverWrap final : public SessionWrap<ReceiverWrap, ReceiverSession> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit ReceiverWrap(const Napi::CallbackInfo& info);

 private:
  void SetAnswer(const Napi::CallbackInfo& info);
  void RequestKeyframe(const Napi::CallbackInfo& info);
  void PutMetadata(const Napi::CallbackInfo& info);
};

/// `new Publisher(options, onEvents)`.
class PublisherWrap final : public SessionWrap<PublisherWrap, PublisherSession> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit PublisherWrap(const Napi::CallbackInfo& info);

 private:
  void SetSending(const Napi::CallbackInfo& info);
  void SetMuted(const Napi::CallbackInfo& info);
  void SetSize(const Napi::CallbackInfo& info);
  void ChangeVideoSsrc(const Napi::CallbackInfo& info);
};

}  // namespace kvsbridge::binding
