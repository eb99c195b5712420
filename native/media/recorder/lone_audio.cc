#include "media/recorder/lone_audio.h"

#include <algorithm>
#include <utility>

namespace kvsbridge {

LoneAudio::LoneAudio(const RecorderOptions& options, FragmentWriter& writer, AudioLane& lane,
                     GapKeeper& gaps, std::function<void(const GapEvent&)> report)
    : options_(options), writer_(writer), lane_(lane), gaps_(gaps), report_(std::move(report)) {}

void LoneAudio::Write(std::int64_t arrived_by_ns, bool video_returns) {
  while (lane_.front() != nullptr && lane_.front()->arrived_ns <= arrived_by_ns &&
         writer_.HasRoom()) {
    const std::int64_t pts_ns = lane_.front()->frame.pts_ns;
    if (!MakePlaceFor(pts_ns, lane_.front()->frame.format)) return;
    auto frame = lane_.Take(pts_ns + 1, false);
    if (frame) WriteFrame(std::move(*frame), video_returns);
  }
}

bool LoneAudio::MakePlaceFor(std::int64_t pts_ns, std::shared_ptr<const AudioFormat> format) {
  const FragmentWriter::Tracks tracks{nullptr, std::move(format)};
  const bool declared = writer_.Declares(tracks);
  const bool hole = pts_ns - lane_.covered_ns() > options_.track_timeout_ms * kNsPerMs;
  if (declared && writer_.fragment() != nullptr && !hole) return true;
  const std::int64_t start_ns = std::max(pts_ns, writer_.earliest_start_ns());
  // Video just fell silent: what sounds on makes its last fragment long enough first. Otherwise the
  // source of the open fragment has ended, however short it is.
  if (writer_.in_video() && writer_.in_audio() &&
      writer_.LengthIfNextAt(start_ns) < options_.min_fragment_ms * kNsPerMs) {
    return false;
  }
  if (const auto gap = gaps_.OnLoneAudio(lane_.covered_ns(), start_ns)) report_(*gap);
  writer_.Begin(tracks, start_ns, false);
  lane_.Begin(tracks.audio, start_ns);
  return true;
}

void LoneAudio::WriteFrame(AudioFrame frame, bool video_returns) {
  if (CutIsDue(frame.pts_ns, video_returns)) {
    frame.pts_ns = std::max(frame.pts_ns, writer_.earliest_start_ns());
    writer_.Begin({nullptr, frame.format}, frame.pts_ns, false);
  }
  writer_.WriteAudio(frame);
}

bool LoneAudio::CutIsDue(std::int64_t pts_ns, bool video_returns) const {
  const std::int64_t target_ms =
      writer_.in_first_fragment() ? options_.min_fragment_ms : options_.target_fragment_ms;
  const std::int64_t length_ms = video_returns ? options_.max_fragment_ms : target_ms;
  return writer_.LengthIfNextAt(pts_ns) >= length_ms * kNsPerMs;
}

void LoneAudio::Tick(std::int64_t audible_ns) {
  if (writer_.fragment() == nullptr || lane_.front() != nullptr) return;
  const std::int64_t silent_ns = lane_.heard_ns() + options_.track_timeout_ms * kNsPerMs;
  while (writer_.HasRoom()) {
    auto silence = lane_.Take(std::min(audible_ns, silent_ns), true);
    if (!silence) break;
    WriteFrame(std::move(*silence), false);
  }
  if (audible_ns >= silent_ns) writer_.EndFragment(0);
}

}  // namespace kvsbridge
