// The sinks of a session on a loop thread of their own, with a fake kvssink behind them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "event_log.h"
#include "fake_kvs_element.h"
#include "media/sinks/epoch_sinks.h"

namespace kvsbridge::testing {

/// A test of KvsSink, reached through EpochSinks as in a session.
class KvsSinkTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kStartMs = 1'700'000'000'000;

  void SetUp() override;
  void TearDown() override;

  /// Runs a task on the loop thread and waits for it.
  void Run(const std::function<void()>& task);

  /// Makes the sink anew with these options.
  void MakeSink(const KvsSinkOptions& options);

  void BeginEpoch(unsigned number) { Begin(number, true, false); }
  void BeginAudioEpoch(unsigned number) { Begin(number, false, true); }
  void BeginSoundEpoch(unsigned number) { Begin(number, true, true); }

  /// A whole fragment of two keyframes, of which only the first may begin one in the element.
  void Fragment(std::int64_t offset_ms);
  /// One frame of 10 bytes, as it comes out of a depayloader: marked as the first after a gap.
  static VideoFrame Video(std::int64_t offset_ms, bool keyframe, gsize bytes = 10);

  void EndEpoch();
  /// Waits until the sink needs the loop no longer.
  void Drain();
  bool WaitForState(unsigned epoch, const std::string& state);
  /// Waits until the fake element took so many frames.
  static bool WaitForFrames(std::size_t count);

  /// Limits that are never reached unless a test shortens them.
  KvsSinkOptions options_;
  EventLog log_;
  LoopThread loop_{"kvs-sink-test"};
  std::unique_ptr<EpochSinks> sink_;

 private:
  void Begin(unsigned number, bool video, bool audio);
};

}  // namespace kvsbridge::testing
