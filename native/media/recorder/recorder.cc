#include "media/recorder/recorder.h"

#include <algorithm>
#include <utility>

namespace kvsbridge {
namespace {

/// Assumed length of a lone frame: 30 frames a second.
constexpr std::int64_t kDefaultFrameIntervalNs = 33'333'333;

/// Timecodes count whole milliseconds.
std::int64_t FloorToMs(std::int64_t ns) { return ns / kNsPerMs * kNsPerMs; }

}  // namespace

Recorder::Recorder(const RecorderOptions& options, MediaSink& sink, Handlers handlers)
    : options_(options),
      handlers_(std::move(handlers)),
      writer_(sink),
      lone_audio_(options, writer_, audio_, gaps_, [this](const GapEvent& gap) { Report(gap); }),
      keyframes_(options.keyframes) {
  writer_.ResumeAfter(options.resumes_after_ms);
}

void Recorder::OnVideo(VideoFrame frame, std::int64_t now_ns) {
  if (finished_) return;
  ++stats_.video_frames_received;
  stats_.video_bytes_received += gst_buffer_get_size(frame.data.get());
  frame.pts_ns = video_steps_.Apply(frame.pts_ns, kDefaultFrameIntervalNs, now_ns);
  frame.dts_ns = decode_clock_.Stamp(frame.pts_ns, frame.keyframe);
  frame.arrived_ns = now_ns;
  stats_.newest_video_ms = video_steps_.newest_ns() / kNsPerMs;
  video_expected_ = true;
  video_format_ = frame.format;
  video_arrived_ns_ = now_ns;
  gaps_.OnArrival(frame.pts_ns);
  if (frame.keyframe) keyframes_.OnKeyframe(now_ns);
  const bool keyframe = frame.keyframe;
  const std::int64_t pts_ns = frame.pts_ns;
  video_.push_back(std::move(frame));
  Interleave(now_ns);
  if (!keyframe) AskForKeyframe(pts_ns, now_ns);
}

void Recorder::OnDropped(unsigned frames, const char* reason, std::int64_t now_ns) {
  if (finished_) return;
  stats_.video_frames_received += frames;
  video_arrived_ns_ = now_ns;
  Drop(frames, reason);
  AskForKeyframe(video_steps_.newest_ns(), now_ns);
}

void Recorder::OnAudio(AudioFrame frame, std::int64_t now_ns) {
  if (finished_) return;
  ++stats_.audio_frames_received;
  frame.pts_ns = audio_steps_.Apply(frame.pts_ns, 0, now_ns);
  stats_.newest_audio_ms = frame.pts_ns / kNsPerMs;
  if (audio_format_ == nullptr || *audio_format_ != *frame.format) audio_format_ = frame.format;
  gaps_.OnArrival(frame.pts_ns);
  if (video_alive_ns_ == 0) video_alive_ns_ = now_ns;
  audio_.Push(std::move(frame), now_ns);
  // Enough to lose nothing until it is clear that no picture comes.
  if (!writer_.in_audio()) {
    audio_.Bound((options_.track_timeout_ms + 2 * options_.audio_hold_ms) * kNsPerMs);
  }
  Interleave(now_ns);
}

void Recorder::Tick(std::int64_t now_ns) {
  if (finished_) return;
  Interleave(now_ns);
  const std::int64_t hold_ns = options_.audio_hold_ms * kNsPerMs;
  if (writer_.audio_only()) {
    lone_audio_.Tick(audio_steps_.Now(now_ns) - hold_ns);
  } else {
    TickVideo(video_steps_.Now(now_ns) - hold_ns, now_ns);
  }
  writer_.Flush();
}

void Recorder::TickVideo(std::int64_t audible_ns, std::int64_t now_ns) {
  if (!video_.empty() || writer_.fragment() == nullptr || !writer_.HasRoom()) return;
  const bool is_over = audible_ns >= MaxEndNs();
  // Video is silent: audio goes on alone, but never past where video may still begin.
  if (writer_.in_audio() && (is_over || !AudioGathers(now_ns))) {
    WriteAudioBefore(FloorToMs(audible_ns), false);
  }
  // No picture may come for hours: what was received by then must not stay unfinished.
  if (!is_over) return;
  writer_.EndFragment(0);
  await_keyframe_ = true;
}

void Recorder::Finish() {
  if (std::exchange(finished_, true)) return;
  for (auto& frame : std::exchange(video_, {})) {
    const std::int64_t arrived_ns = frame.arrived_ns;
    InterleaveBefore(frame);
    WriteVideo(std::move(frame), arrived_ns);
  }
  if (writer_.in_video() && writer_.in_audio()) WriteAudioBefore(INT64_MAX, false);
  if (!writer_.in_video()) lone_audio_.Write(INT64_MAX, false);
  if (const auto gap = gaps_.OnEnd(audio_.covered_ns(), FrameIntervalNs())) Report(*gap);
  writer_.EndEpoch(0);
}

void Recorder::Interleave(std::int64_t now_ns) {
  while (!video_.empty() && MayWrite(video_.front(), now_ns)) {
    VideoFrame frame = std::move(video_.front());
    video_.pop_front();
    InterleaveBefore(frame);
    WriteVideo(std::move(frame), now_ns);
  }
  if (AudioIsAlone(now_ns)) {
    const bool video_returns =
        video_arrived_ns_ != 0 && now_ns - video_arrived_ns_ < options_.track_timeout_ms * kNsPerMs;
    lone_audio_.Write(now_ns - options_.interleave_hold_ms * kNsPerMs, video_returns);
  }
}

std::int64_t Recorder::AudioLimitOf(const VideoFrame& frame) const {
  // What a fragment's first picture is shown after belongs to the fragment before.
  return FloorToMs(StartsFragment(frame) ? frame.pts_ns : frame.dts_ns);
}

void Recorder::InterleaveBefore(const VideoFrame& frame) {
  if (!writer_.in_audio()) return;
  if (writer_.in_video()) {
    WriteAudioBefore(AudioLimitOf(frame), true);
  } else if (StartsFragment(frame)) {
    WriteAudioBefore(AudioLimitOf(frame), false);
  }
}

bool Recorder::MayWrite(const VideoFrame& frame, std::int64_t now_ns) const {
  if (!writer_.in_audio()) return true;
  const bool starts = StartsFragment(frame);
  if (!writer_.in_video() && !starts) return true;
  if (audio_.end_ns() >= (starts ? frame.pts_ns : frame.dts_ns)) return true;
  return now_ns - frame.arrived_ns >= options_.interleave_hold_ms * kNsPerMs;
}

bool Recorder::AudioIsAlone(std::int64_t now_ns) const {
  if (audio_format_ == nullptr || audio_.front() == nullptr || !video_.empty()) return false;
  if (writer_.audio_only() || !video_expected_) return true;
  if (now_ns - video_alive_ns_ < options_.track_timeout_ms * kNsPerMs) return false;
  // A picture that returns is to find a fragment that may end, or the one it was in still open.
  const std::int64_t enough_ms = options_.min_fragment_ms + options_.interleave_hold_ms;
  return !writer_.in_video() ||
         audio_.end_ns() - audio_.front()->frame.pts_ns >= enough_ms * kNsPerMs;
}

bool Recorder::AudioGathers(std::int64_t now_ns) const {
  return audio_.front() != nullptr &&
         now_ns - video_alive_ns_ >= options_.track_timeout_ms * kNsPerMs &&
         writer_.LengthIfNextAt(audio_.front()->frame.pts_ns) >=
             options_.min_fragment_ms * kNsPerMs;
}

bool Recorder::StartsFragment(const VideoFrame& frame) const {
  if (!frame.keyframe || frame.format == nullptr) return false;
  return writer_.fragment() == nullptr || frame.pts_ns >= MaxEndNs() ||
         writer_.LengthIfNextAt(frame.pts_ns) >= options_.min_fragment_ms * kNsPerMs;
}

const char* Recorder::ReasonToDrop(const VideoFrame& frame, bool starts) const {
  if (!writer_.HasRoom()) return "queue-full";
  if (starts) return nullptr;
  if (!writer_.in_video()) return frame.keyframe ? "fragment-too-short" : "before-keyframe";
  if (frame.pts_ns >= MaxEndNs()) return "fragment-too-long";
  if (await_keyframe_ && !frame.keyframe) return "before-keyframe";
  if (frame.leading && !keep_leading_) return "leading-picture";
  return nullptr;
}

void Recorder::WriteVideo(VideoFrame frame, std::int64_t now_ns) {
  const bool starts = StartsFragment(frame);
  if (const char* reason = ReasonToDrop(frame, starts)) {
    Drop(1, reason);
    // A leading picture is none that others refer to.
    if (!frame.leading) await_keyframe_ = true;
    if (writer_.HasRoom() && writer_.in_video() && frame.pts_ns >= MaxEndNs()) {
      if (writer_.in_audio()) WriteAudioBefore(INT64_MAX, false);
      writer_.EndFragment(0);
      video_alive_ns_ = now_ns - options_.track_timeout_ms * kNsPerMs;  // audio waits no longer
    }
    return;
  }
  if (frame.keyframe) keep_leading_ = !starts && !await_keyframe_;
  await_keyframe_ = false;
  video_alive_ns_ = now_ns;
  const std::int64_t interval_ns = FrameIntervalNs();
  if (const auto gap = gaps_.OnVideo(frame.dts_ns, interval_ns)) Report(*gap);
  if (starts) {
    BeginVideoFragment(frame);
  } else {
    frame.pts_ns = std::max(frame.pts_ns, writer_.fragment()->start_ns);
  }
  if (last_dts_ns_ != 0 && frame.dts_ns > last_dts_ns_) {
    std::rotate(frame_distances_ns_.begin(), frame_distances_ns_.end() - 1,
                frame_distances_ns_.end());
    frame_distances_ns_.front() = std::min(frame.dts_ns - last_dts_ns_, kNsPerSecond);
  }
  last_dts_ns_ = std::max(last_dts_ns_, frame.dts_ns);
  ++stats_.video_frames_written;
  writer_.WriteVideo(std::move(frame), interval_ns);
}

void Recorder::BeginVideoFragment(VideoFrame& keyframe) {
  keyframe.pts_ns = std::max(keyframe.pts_ns, writer_.earliest_start_ns());
  writer_.Begin({keyframe.format, audio_format_}, keyframe.pts_ns, decode_clock_.reordered());
  // Sound from before the picture began belongs to no fragment; sound that runs on belongs here.
  if (audio_format_ != nullptr) audio_.Begin(audio_format_, keyframe.pts_ns);
}

std::int64_t Recorder::FrameIntervalNs() const {
  // The shortest: a hole would make the next one look ordinary, or shorter than it is.
  std::int64_t shortest_ns = 0;
  for (const std::int64_t distance_ns : frame_distances_ns_) {
    if (distance_ns > 0 && (shortest_ns == 0 || distance_ns < shortest_ns)) {
      shortest_ns = distance_ns;
    }
  }
  return shortest_ns > 0 ? shortest_ns : kDefaultFrameIntervalNs;
}

std::int64_t Recorder::MaxEndNs() const {
  return writer_.fragment()->start_ns + options_.max_fragment_ms * kNsPerMs;
}

void Recorder::WriteAudioBefore(std::int64_t limit_ns, bool fill) {
  limit_ns = std::min(limit_ns, MaxEndNs());
  while (writer_.HasRoom()) {
    const auto frame = audio_.Take(limit_ns, fill);
    if (!frame) break;
    writer_.WriteAudio(*frame);
  }
}

void Recorder::Drop(unsigned frames, const char* reason) {
  stats_.video_frames_dropped += frames;
  gaps_.OnDropped(frames, reason);
  handlers_.on_dropped(frames, reason);
}

void Recorder::Report(const GapEvent& gap) {
  if (gap.to_ms > gap.from_ms) writer_.AddGap(gap.to_ms - gap.from_ms);
  handlers_.on_gap(gap);
}

bool Recorder::NeedsKeyframe(std::int64_t media_ns) const {
  const auto waits = [](const VideoFrame& frame) { return frame.keyframe; };
  if (std::any_of(video_.begin(), video_.end(), waits)) return false;
  if (writer_.fragment() == nullptr) return true;
  const std::int64_t length_ns = writer_.LengthIfNextAt(media_ns);
  // One that comes too early cannot begin anything.
  if (!writer_.in_video()) return length_ns >= options_.min_fragment_ms * kNsPerMs;
  if (await_keyframe_) return true;
  const bool changed = !writer_.Declares({video_format_, audio_format_});
  // The first fragment is kept short: its PERSISTED is the first proof that recording works.
  const std::int64_t target_ms = changed || writer_.in_first_fragment()
                                     ? options_.min_fragment_ms
                                     : options_.target_fragment_ms;
  return length_ns >= target_ms * kNsPerMs;
}

void Recorder::AskForKeyframe(std::int64_t media_ns, std::int64_t now_ns) {
  const auto decision = keyframes_.OnFrame(NeedsKeyframe(media_ns), now_ns);
  if (decision.request != KeyframeControl::Request::kNone) {
    ++stats_.keyframe_requests;
    handlers_.request_keyframe(decision.request == KeyframeControl::Request::kFir);
  }
  if (decision.overdue_ms) handlers_.on_keyframe_overdue(*decision.overdue_ms);
  if (decision.give_up) handlers_.on_no_keyframe();
}

}  // namespace kvsbridge
