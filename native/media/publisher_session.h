// Answers one viewer with the test picture and tone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "glib/loop_thread.h"
#include "media/session.h"
#include "media/test_source.h"

namespace kvsbridge {

/// Settings of a publisher.
struct PublisherOptions {
  PeerOptions peer;
  TestSourceOptions source;
  /// The viewer's offer.
  std::string offer;
};

/// The answering master's side of one viewer. The source runs from the start, but its gates open
/// when the connection stands: the first frame that a viewer sees is a keyframe with counter 0.
class PublisherSession final : public Session {
 public:
  PublisherSession(PublisherOptions options, std::shared_ptr<EventSink> events);
  ~PublisherSession() override;

 private:
  void OnStart() override;
  void OnPad(PadPtr pad, gulong block_probe) override;
  void OnConnected() override;
  void OnDrain() override;
  void OnClosing() override;
  void OnClosed() override;
  void OnTick() override;

  void AddSource(const ElementPtr& source);
  void SetGates(bool open);
  void EmitStats();

  const PublisherOptions options_;
  ElementPtr video_;
  ElementPtr audio_;
  LoopTimer drain_;
  /// Counted on the streaming thread.
  std::shared_ptr<Guarded<std::uint64_t>> frames_sent_ =
      std::make_shared<Guarded<std::uint64_t>>(0);
  unsigned ticks_ = 0;
  bool sending_ = false;
};

}  // namespace kvsbridge
