// A publisher whose picture changes its size and whose sound stops, as a browser's may.
#pragma once

#include <memory>
#include <string>

#include "media/session/session.h"

namespace kvsbridge::testing {

class SwitchingPublisher final : public Session {
 public:
  /// @param offer the viewer's
  SwitchingPublisher(std::string offer, std::shared_ptr<EventSink> events);
  ~SwitchingPublisher() override;

  /// Restarts the encoder with a picture of this size: a new SPS, at a keyframe. Any thread.
  void SetSize(unsigned width, unsigned height);
  /// Stops or resumes the sound, without a word to the viewer. Any thread.
  void SetSound(bool on);

 private:
  void OnStart() override;
  void OnPad(PadPtr pad, gulong block_probe) override;
  void OnConnected() override {}
  void OnDrain() override { FinishDrain(); }
  void OnClosing() override {}
  void OnClosed() override;
  void OnTick() override {}

  void AddSource(const std::string& description, const char* named, ElementPtr& element);

  const std::string offer_;
  ElementPtr size_;
  ElementPtr sound_;
};

}  // namespace kvsbridge::testing
