// Matroska as AWS's producer writes it, for PutMedia.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "media/events.h"
#include "media/sinks/sink.h"

namespace kvsbridge {

/// Serializes the elements of a live Matroska stream: unknown-size Segment and Clusters, one header
/// per epoch, absolute Cluster timecodes in milliseconds. Layout after the producer SDK 3.6.0
/// (PIC 1.2.0, mkvgen): the KVS backend and its consumers are known to read exactly this.
///
/// Track 1 is video, track 2 audio; a lone track is track 1. Not thread-safe.
class MkvWriter {
 public:
  static constexpr unsigned kVideoTrack = 1;

  /// Track number of audio: 2 beside video, 1 alone.
  static unsigned AudioTrackNumber(const Epoch& epoch) { return epoch.video == nullptr ? 1 : 2; }

  /// EBML header, Segment, Info and Tracks.
  static Bytes Header(const Epoch& epoch);

  /// A Tags element with one SimpleTag per name; nothing when there are none. Before a Cluster it
  /// belongs to that Cluster's fragment.
  static void Tags(const std::vector<FragmentTag>& tags, Bytes& out);

  /// Cluster header. Later blocks are relative to `timecode_ms`.
  void BeginCluster(std::int64_t timecode_ms, Bytes& out);

  /// A SimpleBlock. @param timecode_ms absolute, at most 32,767 ms from the cluster's
  void SimpleBlock(unsigned track, std::int64_t timecode_ms, bool keyframe,
                   const std::uint8_t* data, std::size_t size, Bytes& out) const;

  /// The Tags element by which a producer tells that the last fragment is complete.
  static Bytes EndOfFragment();

 private:
  std::int64_t cluster_timecode_ms_ = 0;
};

}  // namespace kvsbridge
