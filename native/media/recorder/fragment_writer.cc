#include "media/recorder/fragment_writer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "media/recorder/reordering.h"

namespace kvsbridge {
namespace {

/// Within this the next fragment follows on; otherwise there is a hole between the two.
constexpr std::int64_t kAdjacentNs = kNsPerSecond / 2;

template <typename Format>
bool Same(const std::shared_ptr<const Format>& a, const std::shared_ptr<const Format>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

/// Such as "avc1.42c01f 1280x720 mp4a.40.2".
std::string Describe(const Epoch& epoch) {
  std::string text;
  if (epoch.video != nullptr) {
    text.append(Rfc6381(*epoch.video)).append(" ");
    text.append(std::to_string(epoch.video->width)).append("x");
    text.append(std::to_string(epoch.video->height));
  }
  if (epoch.audio != nullptr) {
    if (!text.empty()) text.append(" ");
    text.append(CodecName(*epoch.audio));
  }
  return text;
}

}  // namespace

void FragmentWriter::Begin(const Tracks& tracks, std::int64_t start_ns, bool reordered) {
  const std::int64_t timecode_ms = start_ns / kNsPerMs;
  if (Declares(tracks)) {
    EndFragment(start_ns);
  } else {
    EndEpoch(start_ns);
    BeginEpoch(tracks, timecode_ms, reordered);
  }
  fragment_.emplace();
  fragment_->totals.timecode_ms = timecode_ms;
  fragment_->start_ns = start_ns;
  fragment_->end_ns = start_ns;
  ++fragments_;
  TagResumption(timecode_ms);
  sink_.BeginFragment(timecode_ms, tags_.Take());
  gap_ms_ = 0;
}

void FragmentWriter::TagResumption(std::int64_t timecode_ms) {
  const std::int64_t end_ms = std::exchange(resumes_after_ms_, 0);
  // A hole that this session had before its first fragment is part of that distance.
  if (end_ms != 0 && timecode_ms > end_ms) {
    tags_.PutOwn("kvsb-gap-ms", std::to_string(timecode_ms - end_ms));
  }
}

void FragmentWriter::BeginEpoch(const Tracks& tracks, std::int64_t timecode_ms, bool reordered) {
  const bool may_reorder = reordered || (tracks.video != nullptr && MayReorder(*tracks.video));
  epoch_ = Epoch{next_epoch_++, timecode_ms, tracks.video, tracks.audio, may_reorder};
  sets_.OnEpoch(tracks.video);
  const std::string description = Describe(*epoch_);
  const std::string before = std::exchange(described_, description);
  if (!before.empty() && before != description) tags_.PutOwn("kvsb-codec", description);
  tags_.PutOwn("kvsb-epoch", std::to_string(epoch_->number));
  sink_.BeginEpoch(*epoch_);
}

void FragmentWriter::WriteVideo(VideoFrame frame, std::int64_t interval_ns) {
  sets_.Apply(frame);
  frame.dts_ns = std::max(last_dts_ns_, std::min(frame.dts_ns, frame.pts_ns));
  last_dts_ns_ = frame.dts_ns;
  sink_.WriteVideo(frame);
  ++fragment_->totals.video_frames;
  newest_ms_ = std::max(newest_ms_, frame.pts_ns / kNsPerMs);
  fragment_->end_ns = std::max(fragment_->end_ns, frame.pts_ns + interval_ns);
}

void FragmentWriter::WriteAudio(AudioFrame frame) {
  // Jitter must not put it before its fragment.
  frame.pts_ns = std::max(frame.pts_ns, fragment_->start_ns);
  sink_.WriteAudio(frame);
  ++fragment_->totals.audio_frames;
  if (frame.silence) ++fragment_->totals.silent_audio_frames;
  newest_ms_ = std::max(newest_ms_, frame.pts_ns / kNsPerMs);
  fragment_->end_ns = std::max(fragment_->end_ns, frame.pts_ns + frame.duration_ns);
}

void FragmentWriter::AddGap(std::int64_t gap_ms) {
  gap_ms_ += gap_ms;
  tags_.PutOwn("kvsb-gap-ms", std::to_string(gap_ms_));
}

void FragmentWriter::EndFragment(std::int64_t next_start_ns) {
  if (!fragment_) return;
  if (epoch_->audio != nullptr && fragment_->totals.audio_frames == 0) {
    // KVS refuses a fragment without one of its tracks (error 4011). Not behind its newest picture:
    // the next fragment may begin right after that.
    const AudioFormat& format = *epoch_->audio;
    WriteAudio({std::max(fragment_->start_ns, newest_ms_ * kNsPerMs), SilentFrame(format), true,
                format.frame_duration_ns, epoch_->audio});
  }
  fragment_->totals.duration_ms =
      static_cast<unsigned>(EndIfNextAt(next_start_ns) / kNsPerMs - fragment_->totals.timecode_ms);
  sink_.EndFragment(fragment_->totals);
  fragment_.reset();
}

void FragmentWriter::EndEpoch(std::int64_t next_start_ns) {
  if (!epoch_) return;
  EndFragment(next_start_ns);
  sink_.EndEpoch();
  epoch_.reset();
}

bool FragmentWriter::Declares(const Tracks& tracks) const {
  return epoch_ && Same(epoch_->video, tracks.video) && Same(epoch_->audio, tracks.audio);
}

std::int64_t FragmentWriter::EndIfNextAt(std::int64_t next_start_ns) const {
  const bool adjacent = next_start_ns > 0 && next_start_ns - fragment_->end_ns < kAdjacentNs;
  return adjacent ? next_start_ns : fragment_->end_ns;
}

std::int64_t FragmentWriter::LengthIfNextAt(std::int64_t next_start_ns) const {
  return EndIfNextAt(next_start_ns) - fragment_->start_ns;
}

}  // namespace kvsbridge
