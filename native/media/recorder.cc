#include "media/recorder.h"

#include <algorithm>
#include <utility>

#include "media/aac.h"

namespace kvsbridge {
namespace {

/// Assumed length of a lone frame: 30 frames a second.
constexpr std::int64_t kDefaultFrameIntervalNs = 33'333'333;

/// Sound that waits for the first keyframe; 64 frames are 1.4 s.
constexpr std::size_t kMaxAudioWithoutFragment = 64;

}  // namespace

Recorder::Recorder(const RecorderOptions& options, MediaSink& sink, Handlers handlers)
    : options_(options), sink_(sink), handlers_(std::move(handlers)) {}

void Recorder::OnVideo(VideoFrame frame, std::int64_t now_ns) {
  if (finished_) return;
  ++stats_.video_frames_received;
  stats_.video_bytes_received += gst_buffer_get_size(frame.data.get());
  stats_.newest_video_ms = std::max(stats_.newest_video_ms, frame.pts_ns / kNsPerMs);
  frame.arrived_ns = now_ns;
  if (frame.keyframe) {
    newest_keyframe_ns_ = frame.pts_ns;
    keyframe_asked_at_ns_ = 0;
    keyframe_wanted_ = false;
  } else {
    MaybeRequestKeyframe(frame.pts_ns, now_ns);
  }
  video_.push_back(std::move(frame));
  Interleave(now_ns);
}

void Recorder::OnAudio(AudioFrame frame, std::int64_t now_ns) {
  if (finished_) return;
  ++stats_.audio_frames_received;
  audio_.push_back(std::move(frame));
  if (fragment_ == nullptr && audio_.size() > kMaxAudioWithoutFragment) audio_.pop_front();
  Interleave(now_ns);
}

void Recorder::ExpectAudio(bool expected) {
  if (std::exchange(audio_expected_, expected) != expected) keyframe_wanted_ = true;
}

void Recorder::Tick(std::int64_t now_ns, std::int64_t wall_now_ns) {
  if (finished_) return;
  Interleave(now_ns);
  // Video is silent: audio goes on alone, but never past where video may still begin.
  if (video_.empty() && fragment_ != nullptr) {
    const std::int64_t audible_ns = wall_now_ns - options_.interleave_hold_ms * kNsPerMs;
    WriteAudioBefore(audible_ns);
    // No picture may come for hours: what was received by then must not stay unfinished.
    if (audible_ns - fragment_->start_ns >= options_.max_fragment_ms * kNsPerMs) {
      EndFragment(0);
      keyframe_wanted_ = true;
    }
  }
  sink_.Flush();
}

void Recorder::Finish() {
  if (std::exchange(finished_, true)) return;
  for (auto& frame : std::exchange(video_, {})) {
    InterleaveBefore(frame);
    WriteVideo(std::move(frame));
  }
  if (fragment_ != nullptr) WriteAudioBefore(fragment_->end_ns);
  EndEpoch(0);
}

void Recorder::Interleave(std::int64_t now_ns) {
  bool wrote = false;
  while (!video_.empty() && MayWrite(video_.front(), now_ns)) {
    VideoFrame frame = std::move(video_.front());
    video_.pop_front();
    InterleaveBefore(frame);
    WriteVideo(std::move(frame));
    wrote = true;
  }
  if (wrote) sink_.Flush();
}

void Recorder::InterleaveBefore(const VideoFrame& frame) {
  if (fragment_ == nullptr || epoch_->audio == nullptr) return;
  // In whole milliseconds, the unit of timecodes: what shares the frame's millisecond follows it.
  const std::int64_t limit_ns = frame.pts_ns / kNsPerMs * kNsPerMs;
  WriteAudioBefore(limit_ns);
  FillSilence(limit_ns);
}

bool Recorder::MayWrite(const VideoFrame& frame, std::int64_t now_ns) const {
  if (fragment_ == nullptr || epoch_->audio == nullptr) return true;
  if (audio_covered_ns_ >= frame.pts_ns) return true;
  if (!audio_.empty() && audio_.back().pts_ns + kAacFrameNs >= frame.pts_ns) return true;
  return now_ns - frame.arrived_ns >= options_.interleave_hold_ms * kNsPerMs;
}

bool Recorder::StartsFragment(const VideoFrame& frame) const {
  if (!frame.keyframe) return false;
  if (fragment_ == nullptr) return true;
  if (*epoch_->video != *frame.format || (epoch_->audio != nullptr) != audio_expected_) return true;
  return frame.pts_ns - fragment_->start_ns >= options_.min_fragment_ms * kNsPerMs;
}

void Recorder::KeepOrder(VideoFrame& frame) const {
  // A fragment must begin after all that was written before it (KVS error 4004), and no frame may
  // come before its own fragment. Only a sender whose clock jumps back needs this.
  const std::int64_t earliest_ns =
      StartsFragment(frame) ? (last_written_ms_ + 1) * kNsPerMs
                            : (fragment_ != nullptr ? fragment_->start_ns : frame.pts_ns);
  frame.pts_ns = std::max(frame.pts_ns, earliest_ns);
}

void Recorder::WriteVideo(VideoFrame frame) {
  if (!sink_.HasRoom()) {
    CutUntilKeyframe("queue-full");
    return;
  }
  KeepOrder(frame);
  if (StartsFragment(frame)) {
    BeginFragment(frame);
  } else if (fragment_ == nullptr) {
    Drop("before-keyframe");
    return;
  } else if (frame.pts_ns - fragment_->start_ns >= options_.max_fragment_ms * kNsPerMs) {
    CutUntilKeyframe("fragment-too-long");
    return;
  }
  if (frame.pts_ns > last_video_ns_ && last_video_ns_ != 0) {
    frame_interval_ns_ = std::min(frame.pts_ns - last_video_ns_, kNsPerSecond);
  }
  last_video_ns_ = frame.pts_ns;
  frame.dts_ns = frame.pts_ns;
  last_written_ms_ = std::max(last_written_ms_, frame.pts_ns / kNsPerMs);
  sink_.WriteVideo(frame);
  ++fragment_->totals.video_frames;
  ++stats_.video_frames_written;
  const std::int64_t interval =
      frame_interval_ns_ > 0 ? frame_interval_ns_ : kDefaultFrameIntervalNs;
  fragment_->end_ns = std::max(fragment_->end_ns, frame.pts_ns + interval);
}

void Recorder::BeginFragment(const VideoFrame& keyframe) {
  const bool new_epoch = epoch_ == nullptr || *epoch_->video != *keyframe.format ||
                         (epoch_->audio != nullptr) != audio_expected_;
  const std::int64_t timecode_ms = keyframe.pts_ns / kNsPerMs;
  if (first_timecode_ms_ == 0) first_timecode_ms_ = timecode_ms;
  if (new_epoch) {
    EndEpoch(keyframe.pts_ns);
    epoch_ = std::make_unique<Epoch>(Epoch{next_epoch_++, timecode_ms, keyframe.format,
                                           audio_expected_ ? AacFormat() : nullptr});
    sink_.BeginEpoch(*epoch_);
  } else {
    EndFragment(keyframe.pts_ns);
  }
  fragment_ = std::make_unique<OpenFragment>();
  fragment_->totals.timecode_ms = timecode_ms;
  fragment_->start_ns = keyframe.pts_ns;
  fragment_->end_ns = keyframe.pts_ns;
  sink_.BeginFragment(timecode_ms, tags_.Take());
  // Sound from before the picture began belongs to no fragment; sound that runs on belongs here.
  audio_covered_ns_ = std::max(audio_covered_ns_, keyframe.pts_ns);
  while (!audio_.empty() && audio_.front().pts_ns / kNsPerMs < timecode_ms) audio_.pop_front();
}

void Recorder::WriteAudioBefore(std::int64_t limit_ns) {
  while (!audio_.empty() && audio_.front().pts_ns < limit_ns) {
    if (HasPlaceFor(audio_.front())) {
      FillSilence(audio_.front().pts_ns);
      WriteAudio(audio_.front());
    }
    audio_.pop_front();
  }
}

bool Recorder::HasPlaceFor(const AudioFrame& frame) const {
  if (fragment_ == nullptr || epoch_->audio == nullptr) return false;
  // Late sound: another fragment has begun, or silence already stands there.
  if (frame.pts_ns / kNsPerMs < fragment_->totals.timecode_ms) return false;
  if (frame.pts_ns + kAacFrameNs / 2 < audio_covered_ns_) return false;
  return frame.pts_ns - fragment_->start_ns < options_.max_fragment_ms * kNsPerMs;
}

void Recorder::WriteAudio(const AudioFrame& frame) {
  sink_.WriteAudio(frame);
  ++fragment_->totals.audio_frames;
  if (frame.silence) ++fragment_->totals.silent_audio_frames;
  last_written_ms_ = std::max(last_written_ms_, frame.pts_ns / kNsPerMs);
  const std::int64_t end_ns = frame.pts_ns + kAacFrameNs;
  audio_covered_ns_ = std::max(audio_covered_ns_, end_ns);
  fragment_->end_ns = std::max(fragment_->end_ns, end_ns);
}

void Recorder::FillSilence(std::int64_t until_ns) {
  if (fragment_ == nullptr || epoch_->audio == nullptr) return;
  const std::int64_t limit_ns =
      std::min(until_ns, fragment_->start_ns + options_.max_fragment_ms * kNsPerMs);
  // A gap that no whole frame fits into is jitter of the timestamps, not missing sound.
  const auto fits = [this](std::int64_t end_ns) {
    return audio_.empty() || end_ns <= audio_.front().pts_ns;
  };
  while (audio_covered_ns_ < limit_ns && fits(audio_covered_ns_ + kAacFrameNs)) {
    WriteAudio(
        AudioFrame{audio_covered_ns_, SilentFrame(*AacFormat()), true, kAacFrameNs, AacFormat()});
  }
}

void Recorder::EndFragment(std::int64_t next_start_ns) {
  if (fragment_ == nullptr) return;
  if (epoch_->audio != nullptr && fragment_->totals.audio_frames == 0) {
    // Not behind the last picture: the next fragment may begin right after it.
    const std::int64_t pts_ns =
        std::max(fragment_->start_ns, std::min(audio_covered_ns_, last_video_ns_));
    WriteAudio(AudioFrame{pts_ns, SilentFrame(*AacFormat()), true, kAacFrameNs, AacFormat()});
  }
  // Within half a second the next fragment follows on; otherwise this one just ended.
  const bool adjacent = next_start_ns > 0 && next_start_ns - fragment_->end_ns < kNsPerSecond / 2;
  const std::int64_t end_ns = adjacent ? next_start_ns : fragment_->end_ns;
  fragment_->totals.duration_ms =
      static_cast<unsigned>(end_ns / kNsPerMs - fragment_->totals.timecode_ms);
  sink_.EndFragment(fragment_->totals);
  fragment_.reset();
}

void Recorder::EndEpoch(std::int64_t next_start_ns) {
  if (epoch_ == nullptr) return;
  EndFragment(next_start_ns);
  sink_.EndEpoch();
  epoch_.reset();
}

void Recorder::CutUntilKeyframe(const char* reason) {
  EndFragment(0);
  keyframe_wanted_ = true;
  Drop(reason);
}

void Recorder::Drop(const char* reason) {
  ++stats_.video_frames_dropped;
  handlers_.on_dropped(1, reason);
}

void Recorder::MaybeRequestKeyframe(std::int64_t media_ns, std::int64_t now_ns) {
  // The first fragment is kept short: its PERSISTED is the first proof that recording works.
  const bool is_first = fragment_ != nullptr && fragment_->totals.timecode_ms == first_timecode_ms_;
  const std::int64_t target_ms = is_first ? options_.min_fragment_ms : options_.target_fragment_ms;
  const bool due = keyframe_wanted_ || media_ns - newest_keyframe_ns_ >= target_ms * kNsPerMs;
  if (!due) return;
  if (keyframe_asked_at_ns_ != 0 &&
      now_ns - keyframe_asked_at_ns_ < options_.keyframe_retry_ms * kNsPerMs) {
    return;
  }
  keyframe_asked_at_ns_ = now_ns;
  ++stats_.keyframe_requests;
  handlers_.request_keyframe();
}

}  // namespace kvsbridge
