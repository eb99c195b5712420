// A receiver and a publisher in one process, joined as signaling would join them.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "event_log.h"
#include "media/publisher/publisher_session.h"
#include "media/session/receiver_session.h"

namespace kvsbridge::testing {

/// Carries descriptions and candidates both ways until it is destroyed.
class Call {
 public:
  /// Makes the publishing side once there is an offer; it is started by the call.
  using MakePublisher = std::function<std::unique_ptr<Session>(const std::string& offer,
                                                               std::shared_ptr<EventSink> events)>;

  explicit Call(ReceiverOptions options = ShortFragments(),
                MakePublisher make_publisher = TestPicture(true));
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();

  /// A receiver whose fragments may be shorter than the service allows, so that tests need not
  /// wait.
  static ReceiverOptions ShortFragments();
  /// A publisher of the small test picture.
  static MakePublisher TestPicture(bool audio);

  /// Starts the receiver and, with its offer, the publisher. False when no offer came.
  bool Start();
  /// Waits until the receiver has written something this many times, about once for each frame.
  bool WaitForMedia(std::size_t writes);
  /// Waits until the receiver has got this many video frames; it tells once a second.
  bool WaitForFrames(std::uint64_t frames);
  /// Waits until this many fragments have ended.
  bool WaitForFragments(std::size_t fragments);
  /// Stops the receiver, waits until it has closed, and destroys it.
  void StopReceiver(std::chrono::milliseconds deadline = std::chrono::milliseconds(5'000));
  void StopPublisher(std::chrono::milliseconds deadline = std::chrono::milliseconds(5'000));

  [[nodiscard]] ReceiverSession& receiver() { return *receiver_; }
  [[nodiscard]] Session& publisher() { return *publisher_; }
  [[nodiscard]] std::unique_ptr<ReceiverSession> TakeReceiver();
  [[nodiscard]] std::unique_ptr<Session> TakePublisher();
  [[nodiscard]] EventLog& events() { return *receiver_events_; }
  [[nodiscard]] EventLog& publisher_events() { return *publisher_events_; }

 private:
  void FromReceiver(const Event& event);
  void FromPublisher(const Event& event);

  const MakePublisher make_publisher_;
  std::shared_ptr<EventLog> receiver_events_;
  std::shared_ptr<EventLog> publisher_events_;
  /// Guards the two sessions against the events of each other, and the candidates that wait.
  std::mutex mutex_;
  std::unique_ptr<ReceiverSession> receiver_;
  std::unique_ptr<Session> publisher_;
  std::vector<LocalCandidateEvent> early_candidates_;
};

}  // namespace kvsbridge::testing
