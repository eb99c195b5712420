// One track without a peer connection: RTP goes in, what a session would get comes out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "media/tracks/track.h"

namespace kvsbridge::testing {

/// RTP packets in the order in which they are sent.
using Packets = std::vector<BufferPtr>;

/// Runs a pipeline to its end as fast as it goes. @param description ends in a payloader
Packets RecordPackets(const std::string& description);

/// Raw pictures to RTP. @param caps such as "width=160,height=120"
Packets VideoPackets(const std::string& encoder_and_payloader, const std::string& caps,
                     unsigned frames);

/// Copies of `packets`, numbered and timed to follow `last` without a gap.
Packets Following(const BufferPtr& last, const Packets& packets);

/// What a track gave out.
struct TrackOutput {
  std::vector<TrackSample> samples;
  std::map<std::string, unsigned> dropped;  ///< by reason
  unsigned losses = 0;

  [[nodiscard]] std::uint64_t bytes() const;
  /// For whatever reason.
  [[nodiscard]] unsigned dropped_frames() const;
  [[nodiscard]] std::vector<std::size_t> keyframes() const;  ///< their indices
};

/// A running pipeline with one track.
class TrackRig {
 public:
  /// @param caps of the packets, as webrtcbin's pad would have them
  explicit TrackRig(const std::string& caps, AudioMode audio = AudioMode::kAac);
  TrackRig(const TrackRig&) = delete;
  TrackRig& operator=(const TrackRig&) = delete;
  ~TrackRig();

  /// Sends packets at once.
  void Send(const Packets& packets);
  /// Waits until this many samples came. False when they do not.
  bool WaitForSamples(std::size_t samples);
  /// Ends the stream and waits for the track's end.
  TrackOutput Finish();

  [[nodiscard]] Track& track() { return *track_; }
  /// How often the sender was asked for a keyframe.
  [[nodiscard]] unsigned keyframe_requests();

 private:
  ElementPtr pipeline_;
  ElementPtr source_;
  std::unique_ptr<Track> track_;
  std::mutex mutex_;
  std::condition_variable changed_;
  TrackOutput output_;
  unsigned keyframe_requests_ = 0;
  bool ended_ = false;
};

/// Decodes H.264 samples. Returns the pictures' sizes in order, such as "160x120"; anything that a
/// decoder complains about fails the running test.
std::vector<std::string> DecodedSizes(const std::vector<TrackSample>& samples);

/// Decodes AAC samples to interleaved 16-bit stereo.
std::vector<std::int16_t> DecodedSound(const std::vector<TrackSample>& samples);

}  // namespace kvsbridge::testing
