// Sends each epoch to the sink that can store it.
#pragma once

#include <functional>
#include <memory>

#include "media/sinks/kvs_sink.h"
#include "media/sinks/put_media_sink.h"

namespace kvsbridge {

/// True for what kvssink stores as it is: it crashes when an audio-only stream ends, and it takes
/// decode times for presentation times, so B-frames would be shown in the wrong order.
[[nodiscard]] bool KvsSinkCanStore(const Epoch& epoch);

/// kvssink for the epochs that it can store, PutMedia for the others.
class EpochSinks final : public MediaSink {
 public:
  /// @param loop,events outlive the sink
  EpochSinks(KvsSinkOptions options, const LoopThread& loop, EventSink& events);

  void BeginEpoch(const Epoch& epoch) override;
  void BeginFragment(std::int64_t timecode_ms, const std::vector<FragmentTag>& tags) override {
    current_->BeginFragment(timecode_ms, tags);
  }
  void WriteVideo(const VideoFrame& frame) override { current_->WriteVideo(frame); }
  void WriteAudio(const AudioFrame& frame) override { current_->WriteAudio(frame); }
  void Flush() override { current_->Flush(); }
  void EndFragment(const FragmentTotals& totals) override { current_->EndFragment(totals); }
  void EndEpoch() override { current_->EndEpoch(); }
  [[nodiscard]] bool HasRoom() const override { return current_->HasRoom(); }
  void Drain(const std::function<void()>& done) override { kvs_.Drain(done); }

 private:
  KvsSink kvs_;
  PutMediaSink put_media_;
  MediaSink* current_;
};

}  // namespace kvsbridge
