// Writes audio while there is no video.
#pragma once

#include <cstdint>
#include <functional>

#include "media/recorder/audio_lane.h"
#include "media/recorder/fragment_writer.h"
#include "media/recorder/gap_keeper.h"
#include "media/recorder/recorder_options.h"

namespace kvsbridge {

/// Fragments of the length aimed at, cut between audio frames. Short silences of the sender (DTX,
/// a late packet) are filled in; in a longer one the fragment ends and a gap is reported.
class LoneAudio {
 public:
  /// @param writer,lane,gaps outlive it @param report gets the holes
  LoneAudio(const RecorderOptions& options, FragmentWriter& writer, AudioLane& lane,
            GapKeeper& gaps, std::function<void(const GapEvent&)> report);

  /// Writes what arrived by `arrived_by_ns`, in an epoch that declares audio only.
  /// @param video_returns pictures arrive and wait for a keyframe: the fragment stays open for it
  void Write(std::int64_t arrived_by_ns, bool video_returns);

  /// Fills in silence, or ends the fragment. @param audible_ns what is not there by now, on the
  /// frames' time line, does not come
  void Tick(std::int64_t audible_ns);

 private:
  bool MakePlaceFor(std::int64_t pts_ns, std::shared_ptr<const AudioFormat> format);
  void WriteFrame(AudioFrame frame, bool video_returns);
  [[nodiscard]] bool CutIsDue(std::int64_t pts_ns, bool video_returns) const;

  const RecorderOptions options_;
  FragmentWriter& writer_;
  AudioLane& lane_;
  GapKeeper& gaps_;
  const std::function<void(const GapEvent&)> report_;
};

}  // namespace kvsbridge
