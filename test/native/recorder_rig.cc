#include "recorder_rig.h"

#include "media/aac.h"

namespace kvsbridge::testing {
namespace {

constexpr std::int64_t kFrameIntervalMs = 33;

BufferPtr BufferWithId(std::uint32_t id) {
  return BufferPtr::Adopt(gst_buffer_new_memdup(&id, sizeof(id)));
}

}  // namespace

std::shared_ptr<const VideoFormat> MakeFormat(unsigned width, unsigned height) {
  return std::make_shared<const VideoFormat>(
      VideoFormat{VideoCodec::kH264,
                  {1, 0x42, 0xC0, 0x1F, 0xFF, 0xE0, 0, static_cast<std::uint8_t>(height / 10)},
                  width,
                  height});
}

RecorderRig::RecorderRig(const RecorderOptions& options)
    : recorder_(options, sink_,
                {[this] { keyframe_requests_ms.push_back(now_ms); },
                 [this](unsigned frames, const char* reason) { dropped[reason] += frames; }}) {}

std::uint32_t RecorderRig::Video(std::int64_t pts_ms, bool keyframe) {
  const std::uint32_t id = next_id_++;
  VideoFrame frame;
  frame.pts_ns = (kZeroMs + pts_ms) * kNsPerMs;
  frame.keyframe = keyframe;
  frame.format = format;
  frame.data = BufferWithId(id);
  recorder_.OnVideo(std::move(frame), MonotonicNs());
  return id;
}

void RecorderRig::Audio(double pts_ms) {
  AudioFrame frame;
  frame.pts_ns = kZeroMs * kNsPerMs + static_cast<std::int64_t>(pts_ms * kNsPerMs);
  frame.data = SilentFrame(*AacFormat());
  frame.duration_ns = kAacFrameNs;
  frame.format = AacFormat();
  recorder_.OnAudio(std::move(frame), MonotonicNs());
}

void RecorderRig::Tick() { recorder_.Tick(MonotonicNs(), (kZeroMs + now_ms) * kNsPerMs); }

void RecorderRig::Stream(std::int64_t from_ms, std::int64_t to_ms, bool with_audio) {
  constexpr double kAudioMs = static_cast<double>(kAacFrameNs) / kNsPerMs;
  double audio_ms = static_cast<double>(from_ms);
  for (std::int64_t video_ms = from_ms; video_ms < to_ms; video_ms += kFrameIntervalMs) {
    now_ms = video_ms;
    Video(video_ms);
    while (with_audio && audio_ms < static_cast<double>(video_ms + kFrameIntervalMs)) {
      Audio(audio_ms);
      audio_ms += kAudioMs;
    }
    Tick();
  }
}

}  // namespace kvsbridge::testing
