// The sink that feeds lib/putmedia: muxes to Matroska and emits the bytes.
#pragma once

#include "media/sinks/mkv_writer.h"
#include "media/sinks/sink.h"

namespace kvsbridge {

/// Emits Epoch/Fragment/MediaData events. Bytes leave at every Flush, not per fragment.
class PutMediaSink : public MediaSink {
 public:
  /// @param events outlives the sink
  explicit PutMediaSink(EventSink& events) : events_(events) {}

  void BeginEpoch(const Epoch& epoch) override;
  void BeginFragment(std::int64_t timecode_ms, const std::vector<FragmentTag>& tags) override;
  void WriteVideo(const VideoFrame& frame) override;
  void WriteAudio(const AudioFrame& frame) override;
  void Flush() override;
  void EndFragment(const FragmentTotals& totals) override;
  void EndEpoch() override;
  [[nodiscard]] bool HasRoom() const override { return !events_.IsFull(); }

 private:
  void WriteBlock(unsigned track, std::int64_t pts_ns, bool keyframe, GstBuffer* data);

  EventSink& events_;
  MkvWriter writer_;
  Bytes pending_;
  std::size_t flushed_bytes_ = 0;  ///< last time: about what comes next
  unsigned epoch_ = 0;
  unsigned audio_track_ = 0;
};

}  // namespace kvsbridge
