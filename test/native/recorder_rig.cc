#include "recorder_rig.h"

#include <array>
#include <cstring>
#include <utility>

#include "media/aac.h"

namespace kvsbridge::testing {
namespace {

constexpr std::int64_t kFrameIntervalMs = 33;

/// One slice, IDR or not, behind its length; its content is the frame's id.
BufferPtr AccessUnit(std::uint32_t id, bool keyframe) {
  std::array<std::uint8_t, 9> unit = {0, 0, 0, 5,
                                      static_cast<std::uint8_t>(keyframe ? 0x65 : 0x41)};
  std::memcpy(&unit[5], &id, sizeof(id));
  return BufferPtr::Adopt(gst_buffer_new_memdup(unit.data(), unit.size()));
}

}  // namespace

std::shared_ptr<const VideoFormat> MakeFormat(unsigned width, unsigned height) {
  const auto size = static_cast<std::uint8_t>(height / 10);
  Bytes avcc = {1,    0x42, 0xC0, 0x1F, 0xFF, 0xE1, 0, 5,    0x67,
                0x42, 0xC0, 0x1F, size, 1,    0,    2, 0x68, 1};
  return std::make_shared<const VideoFormat>(
      VideoFormat{VideoCodec::kH264, std::move(avcc), width, height});
}

RecorderRig::RecorderRig(const RecorderOptions& options)
    : recorder_(options, sink_,
                {[this](bool fir) {
                   keyframe_requests_ms.push_back(now_ms);
                   if (fir) fir_requests_ms.push_back(now_ms);
                 },
                 [this](unsigned frames, const char* reason) { dropped[reason] += frames; },
                 [this](const GapEvent& gap) { gaps.push_back(gap); },
                 [this](std::int64_t waited_ms) { overdue_ms.push_back(waited_ms); },
                 [this] { no_keyframe_at_ms.push_back(now_ms); }}) {}

std::uint32_t RecorderRig::Video(std::int64_t pts_ms, bool keyframe) {
  const std::uint32_t id = next_id_++;
  VideoFrame frame;
  frame.pts_ns = (kZeroMs + pts_ms) * kNsPerMs;
  frame.keyframe = keyframe;
  frame.format = format;
  frame.data = AccessUnit(id, keyframe);
  recorder_.OnVideo(std::move(frame), MonotonicNs());
  return id;
}

void RecorderRig::Audio(double pts_ms) {
  AudioFrame frame;
  frame.pts_ns = kZeroMs * kNsPerMs + static_cast<std::int64_t>(pts_ms * kNsPerMs);
  frame.data = SilentFrame(*audio_format);
  frame.duration_ns = audio_format->frame_duration_ns;
  frame.format = audio_format;
  recorder_.OnAudio(std::move(frame), MonotonicNs());
}

void RecorderRig::Tick() { recorder_.Tick(MonotonicNs()); }

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
