// What receiver and publisher sessions share: the loop thread, the pipeline, its end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "glib/loop_thread.h"
#include "glib/ptr.h"
#include "media/events.h"
#include "media/peer/peer_connection.h"

namespace kvsbridge {

/// One pipeline with one webrtcbin on a thread of its own.
///
/// Public methods may be called from any thread: they post to the loop and return. State only moves
/// forward: idle, starting, live, stopping, closed. Everything marked "loop" runs there.
class Session {
 public:
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session();

  /// Starts the pipeline. A failure is emitted as a fatal ErrorEvent, then ClosedEvent.
  void Start();
  /// Adds a candidate of the peer.
  void AddRemoteCandidate(unsigned m_line_index, std::string candidate);
  /// Drains within `deadline`, then closes. Repeats have no effect.
  void Stop(std::chrono::milliseconds deadline);
  /// Waits until ClosedEvent was emitted and the thread is done.
  /// @return false when the deadline passed first: then the session must never be destroyed, see
  ///   `Release`
  bool Join(std::chrono::milliseconds deadline);

  /// Ends the session, also in the middle of a drain, and destroys it. One whose thread hangs in a
  /// state change is leaked on purpose: it must not hang its owner.
  static void Release(std::unique_ptr<Session> session, std::chrono::milliseconds deadline);

 protected:
  enum class State { kIdle, kStarting, kLive, kStopping, kClosed };

  /// @param events outlives the session's thread, see Join
  Session(const std::string& thread_name, PeerOptions options, std::shared_ptr<EventSink> events);

  /// Loop. Builds what the peer connection needs and begins the negotiation.
  virtual void OnStart() = 0;
  /// Loop. A blocked media pad of the peer.
  virtual void OnPad(PadPtr pad, gulong block_probe) = 0;
  /// Loop. DTLS is up for the first time.
  virtual void OnConnected() = 0;
  /// Loop. Begin to drain; call FinishDrain when done. The deadline calls it otherwise.
  virtual void OnDrain() = 0;
  /// Loop. The pipeline is about to go; emit what is left.
  virtual void OnClosing() = 0;
  /// Loop. The pipeline is in NULL and about to be released: let go of its elements.
  virtual void OnClosed() = 0;
  /// Loop. About ten times a second while live.
  virtual void OnTick() = 0;

  /// Posts to the loop; dropped when the session is closed by then.
  void Post(std::function<void()> task);
  /// Loop.
  void FinishDrain();
  /// Loop. Emits a fatal error and stops. Not from within OnStart, which throws instead.
  void Fail(const MediaError& error);
  void Emit(Event event) { events_->Emit(std::move(event)); }

  /// Closes without draining and waits for the thread. Must be the first thing that a derived
  /// destructor does: the loop calls virtual methods.
  void Shutdown();

  [[nodiscard]] GstBin* pipeline() const { return GST_BIN(pipeline_.get()); }
  [[nodiscard]] PeerConnection& peer() { return *peer_; }
  [[nodiscard]] bool has_peer() const { return peer_ != nullptr; }
  [[nodiscard]] const LoopThread& loop() const { return loop_; }
  [[nodiscard]] EventSink& events() { return *events_; }
  [[nodiscard]] State state() const { return state_; }

 private:
  void DoStart();
  void DoStop(std::chrono::milliseconds deadline);
  /// Any thread. Closes without draining, or without draining further.
  void Abandon();
  void Close();
  /// Loop. Writes the pipeline as a dot file, for debugging.
  void DumpGraph(const char* moment);
  void WatchBus();
  void OnBusMessage(GstMessage* message);

  const PeerOptions options_;
  const std::shared_ptr<EventSink> events_;
  LoopThread loop_;
  // Everything below belongs to the loop thread.
  ElementPtr pipeline_;
  std::shared_ptr<PeerConnection> peer_;
  GSource* bus_source_ = nullptr;
  LoopTimer drain_deadline_;
  LoopTimer tick_;
  State state_ = State::kIdle;
};

}  // namespace kvsbridge
