#include "media/put_media_sink.h"

#include <utility>

namespace kvsbridge {

void PutMediaSink::BeginEpoch(const Epoch& epoch) {
  epoch_ = epoch.number;
  events_.Emit(EpochEvent{epoch.number, epoch.timecode_ms, Rfc6381(*epoch.video),
                          epoch.video->width, epoch.video->height,
                          epoch.has_audio ? "mp4a.40.2" : "", MkvWriter::Header(epoch)});
}

void PutMediaSink::BeginFragment(std::int64_t timecode_ms) {
  events_.Emit(FragmentStartEvent{epoch_, timecode_ms});
  writer_.BeginCluster(timecode_ms, pending_);
}

void PutMediaSink::WriteVideo(const VideoFrame& frame) {
  WriteBlock(MkvWriter::kVideoTrack, frame.pts_ns, frame.keyframe, frame.data.get());
}

void PutMediaSink::WriteAudio(const AudioFrame& frame) {
  WriteBlock(MkvWriter::kAudioTrack, frame.pts_ns, true, frame.data.get());
}

void PutMediaSink::WriteBlock(unsigned track, std::int64_t pts_ns, bool keyframe, GstBuffer* data) {
  const MappedBuffer mapped(data);
  writer_.SimpleBlock(track, pts_ns / kNsPerMs, keyframe, mapped.data(), mapped.size(), pending_);
}

void PutMediaSink::Flush() {
  if (pending_.empty()) return;
  events_.Emit(MediaDataEvent{std::exchange(pending_, {})});
}

void PutMediaSink::EndFragment(const FragmentTotals& totals) {
  Flush();
  events_.Emit(FragmentEndEvent{epoch_, totals.timecode_ms, totals.duration_ms, totals.video_frames,
                                totals.audio_frames, totals.silent_audio_frames});
}

void PutMediaSink::EndEpoch() { events_.Emit(EpochEndEvent{epoch_, MkvWriter::EndOfFragment()}); }

}  // namespace kvsbridge
