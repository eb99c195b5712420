#include "binding/session_wrap.h"

#include <chrono>
#include <utility>

#include "binding/errors.h"
#include "binding/options.h"
#include "binding/publisher_options.h"

namespace kvsbridge::binding {
namespace {

/// A closed session joins at once; one that was never stopped still has to reach NULL.
constexpr std::chrono::milliseconds kJoinDeadline(2'000);

}  // namespace

template <typename Derived, typename SessionType>
SessionWrap<Derived, SessionType>::SessionWrap(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Derived>(info) {
  Guard(info.Env(), [&] {
    if (!info[1].IsFunction()) {
      throw MediaError(ErrorKind::kOptions, "onEvents must be a function");
    }
    events_ = JsEventSink::Create(info.Env(), info[1].As<Napi::Function>());
  });
  // After the thread-safe function: hooks run last in, first out, and this one must come before
  // that function's own.
  napi_add_env_cleanup_hook(info.Env(), OnEnvironmentExit, this);
}

template <typename Derived, typename SessionType>
SessionWrap<Derived, SessionType>::~SessionWrap() {
  if (std::exchange(hooked_, false)) {
    napi_remove_env_cleanup_hook(this->Env(), OnEnvironmentExit, this);
  }
  End();
}

template <typename Derived, typename SessionType>
void SessionWrap<Derived, SessionType>::OnEnvironmentExit(void* self) {
  auto* wrap = static_cast<SessionWrap*>(self);
  wrap->hooked_ = false;
  wrap->End();
}

template <typename Derived, typename SessionType>
void SessionWrap<Derived, SessionType>::End() {
  if (events_ != nullptr) events_->Close();
  if (session_ != nullptr) Session::Release(std::move(session_), kJoinDeadline);
}

template <typename Derived, typename SessionType>
void SessionWrap<Derived, SessionType>::Start(const Napi::CallbackInfo& /*info*/) {
  if (session_ != nullptr) session_->Start();
}

template <typename Derived, typename SessionType>
void SessionWrap<Derived, SessionType>::AddCandidate(const Napi::CallbackInfo& info) {
  Guard(info.Env(), [&] {
    const unsigned index = ReadUnsigned(info[0], "sdpMLineIndex", 0, 65'535);
    std::string candidate = ReadString(info[1], "candidate");
    if (session_ != nullptr) session_->AddRemoteCandidate(index, std::move(candidate));
  });
}

template <typename Derived, typename SessionType>
void SessionWrap<Derived, SessionType>::Stop(const Napi::CallbackInfo& info) {
  Guard(info.Env(), [&] {
    const unsigned deadline_ms = ReadUnsigned(info[0], "deadlineMs", 0, 600'000);
    if (session_ != nullptr) session_->Stop(std::chrono::milliseconds(deadline_ms));
  });
}

template <typename Derived, typename SessionType>
void SessionWrap<Derived, SessionType>::Dispose(const Napi::CallbackInfo& /*info*/) {
  End();
}

Napi::Function ReceiverWrap::Define(Napi::Env env) {
  return DefineClass(env, "Receiver",
                     {InstanceMethod("start", &ReceiverWrap::Start),
                      InstanceMethod("setAnswer", &ReceiverWrap::SetAnswer),
                      InstanceMethod("addCandidate", &ReceiverWrap::AddCandidate),
                      InstanceMethod("requestKeyframe", &ReceiverWrap::RequestKeyframe),
                      InstanceMethod("putMetadata", &ReceiverWrap::PutMetadata),
                      InstanceMethod("stop", &ReceiverWrap::Stop),
                      InstanceMethod("dispose", &ReceiverWrap::Dispose)});
}

ReceiverWrap::ReceiverWrap(const Napi::CallbackInfo& info) : SessionWrap(info) {
  Guard(info.Env(),
        [&] { Adopt(std::make_unique<ReceiverSession>(ReadReceiverOptions(info[0]), events())); });
}

void ReceiverWrap::SetAnswer(const Napi::CallbackInfo& info) {
  Guard(info.Env(), [&] {
    std::string sdp = ReadString(info[0], "sdp");
    if (session() != nullptr) session()->SetRemoteAnswer(std::move(sdp));
  });
}

void ReceiverWrap::RequestKeyframe(const Napi::CallbackInfo& /*info*/) {
  if (session() != nullptr) session()->RequestKeyframe();
}

void ReceiverWrap::PutMetadata(const Napi::CallbackInfo& info) {
  Guard(info.Env(), [&] {
    std::string name = ReadString(info[0], "name");
    std::string value = ReadString(info[1], "value");
    const bool persistent = ReadBool(info[2], "persistent");
    if (session() != nullptr) {
      session()->PutMetadata(std::move(name), std::move(value), persistent);
    }
  });
}

Napi::Function PublisherWrap::Define(Napi::Env env) {
  return DefineClass(env, "Publisher",
                     {InstanceMethod("start", &PublisherWrap::Start),
                      InstanceMethod("addCandidate", &PublisherWrap::AddCandidate),
                      InstanceMethod("setSending", &PublisherWrap::SetSending),
                      InstanceMethod("setMuted", &PublisherWrap::SetMuted),
                      InstanceMethod("setSize", &PublisherWrap::SetSize),
                      InstanceMethod("changeVideoSsrc", &PublisherWrap::ChangeVideoSsrc),
                      InstanceMethod("stop", &PublisherWrap::Stop),
                      InstanceMethod("dispose", &PublisherWrap::Dispose)});
}

PublisherWrap::PublisherWrap(const Napi::CallbackInfo& info) : SessionWrap(info) {
  Guard(info.Env(), [&] {
    Adopt(std::make_unique<PublisherSession>(ReadPublisherOptions(info[0]), events()));
  });
}

void PublisherWrap::SetSending(const Napi::CallbackInfo& info) {
  Guard(info.Env(), [&] {
    const bool video = ReadBool(info[0], "video");
    const bool audio = ReadBool(info[1], "audio");
    if (session() != nullptr) session()->SetSending(video, audio);
  });
}

void PublisherWrap::SetMuted(const Napi::CallbackInfo& info) {
  Guard(info.Env(), [&] {
    const bool muted = ReadBool(info[0], "muted");
    if (session() != nullptr) session()->SetMuted(muted);
  });
}

void PublisherWrap::SetSize(const Napi::CallbackInfo& info) {
  Guard(info.Env(), [&] {
    const unsigned width = ReadUnsigned(info[0], "width", kMinWidth, kMaxWidth);
    const unsigned height = ReadUnsigned(info[1], "height", kMinHeight, kMaxHeight);
    if (session() != nullptr) session()->SetSize(width, height);
  });
}

void PublisherWrap::ChangeVideoSsrc(const Napi::CallbackInfo& /*info*/) {
  if (session() != nullptr) session()->ChangeVideoSsrc();
}

template class SessionWrap<ReceiverWrap, ReceiverSession>;
template class SessionWrap<PublisherWrap, PublisherSession>;

}  // namespace kvsbridge::binding
