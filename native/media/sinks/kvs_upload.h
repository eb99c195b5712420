// One epoch's way through one kvssink, with the waiting done on a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "glib/inbox.h"
#include "media/sinks/kvs_element.h"

namespace kvsbridge {

/// What happens to an upload, in the words of the thread that saw it.
struct KvsReport {
  struct Ready {};             ///< NULL->READY succeeded: describes and endpoint were answered
  struct Drained {};           ///< the element took every frame
  struct Closed {};            ///< stopped and in NULL; nothing follows
  struct Failed {              ///< the element gave up
    std::uint32_t status = 0;  ///< of the SDK; 0 when only words are known
    std::string reason;
  };
  struct FrameRefused {  ///< one frame was not taken; the words hold its status
    std::string reason;
  };

  unsigned epoch = 0;
  std::variant<Ready, Drained, Closed, Failed, FrameRefused, KvsAck> what;
};

/// Runs a KvsElement. Its state changes can block for minutes, so they happen on a worker thread;
/// frames wait in the element's queues meanwhile. Methods belong to the session's loop.
class KvsUpload {
 public:
  /// Begins to connect. @throws MediaError when the element cannot be made
  KvsUpload(const KvsSinkOptions& options, const Epoch& epoch, const Inbox<KvsReport>& reports);
  KvsUpload(const KvsUpload&) = delete;
  KvsUpload& operator=(const KvsUpload&) = delete;
  /// One that hangs in a state change is left behind, thread and all: it must not hang the session.
  ~KvsUpload();

  [[nodiscard]] unsigned epoch() const { return epoch_; }
  [[nodiscard]] KvsElement& element() { return *element_; }
  /// Lets queued frames go, once connected. Until then no PutMedia request is made.
  void Play();
  /// No frame follows. Stops when all are taken.
  void Finish();
  /// After KvsReport::Closed: the worker has nothing left to do.
  void OnClosed() { closed_ = true; }
  /// Stops now: what the element has is sent and acknowledged within its stop timeout.
  void Stop();

 private:
  const unsigned epoch_;
  std::shared_ptr<KvsElement> element_;
  LoopThread worker_;
  const Inbox<KvsReport> reports_;
  bool playing_ = false;
  bool stopping_ = false;
  bool closed_ = false;
};

}  // namespace kvsbridge
