#include "media/sinks/put_media_sink.h"

#include <utility>

namespace kvsbridge {

void PutMediaSink::BeginEpoch(const Epoch& epoch) {
  epoch_ = epoch.number;
  EpochEvent event = DescribeEpoch(epoch);
  event.sink = "putmedia";
  event.header = MkvWriter::Header(epoch);
  audio_track_ = MkvWriter::AudioTrackNumber(epoch);
  events_.Emit(std::move(event));
}

void PutMediaSink::BeginFragment(std::int64_t timecode_ms, const std::vector<FragmentTag>& tags) {
  events_.Emit(FragmentStartEvent{epoch_, timecode_ms});
  MkvWriter::Tags(tags, pending_);
  writer_.BeginCluster(timecode_ms, pending_);
}

void PutMediaSink::WriteVideo(const VideoFrame& frame) {
  WriteBlock(MkvWriter::kVideoTrack, frame.pts_ns, frame.keyframe, frame.data.get());
}

void PutMediaSink::WriteAudio(const AudioFrame& frame) {
  WriteBlock(audio_track_, frame.pts_ns, true, frame.data.get());
}

void PutMediaSink::WriteBlock(unsigned track, std::int64_t pts_ns, bool keyframe, GstBuffer* data) {
  const MappedBuffer mapped(data);
  if (pending_.empty()) pending_.reserve(flushed_bytes_);
  writer_.SimpleBlock(track, pts_ns / kNsPerMs, keyframe, mapped.data(), mapped.size(), pending_);
}

void PutMediaSink::Flush() {
  if (pending_.empty()) return;
  flushed_bytes_ = pending_.size();
  events_.Emit(MediaDataEvent{std::exchange(pending_, {})});
}

void PutMediaSink::EndFragment(const FragmentTotals& totals) {
  Flush();
  events_.Emit(FragmentEndEvent{epoch_, totals.timecode_ms, totals.duration_ms, totals.video_frames,
                                totals.audio_frames, totals.silent_audio_frames});
}

void PutMediaSink::EndEpoch() { events_.Emit(EpochEndEvent{epoch_, MkvWriter::EndOfFragment()}); }

}  // namespace kvsbridge
