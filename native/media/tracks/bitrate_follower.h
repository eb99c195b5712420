// How much an encoder may spend, by what the sender spends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "media/tracks/codecs.h"

namespace kvsbridge {

/// A limit for the encoder that a transcoder sets.
struct BitrateLimit {
  unsigned bitrate_bps = 0;
  double frame_rate = 0;  ///< measured
};

/// Measures what comes over two seconds at a time and says when the encoder's limit should change.
///
/// The limit is the sender's bitrate times what H.264 needs more than the sender's codec, within
/// bounds that follow the picture's size. It rises as soon as the sender's rate does; it falls when
/// the rate stayed low for two measurements, so that one still moment costs no picture quality.
class BitrateFollower {
 public:
  /// @param codec what the sender codes with
  explicit BitrateFollower(SourceCodec codec);

  /// A new picture size. Returns the limit to begin with.
  BitrateLimit OnSize(unsigned width, unsigned height);

  /// A coded frame. Times may jump; a jump begins a new measurement.
  /// @return a limit, when it is another one than before
  std::optional<BitrateLimit> OnFrame(std::size_t bytes, std::int64_t pts_ns);

 private:
  std::optional<BitrateLimit> Measure(std::int64_t duration_ns);
  [[nodiscard]] double Bounded(double bitrate_bps) const;

  const double factor_;
  double floor_bps_ = 0;
  double ceiling_bps_ = 0;
  BitrateLimit limit_;
  std::int64_t window_start_ns_ = -1;
  std::uint64_t window_bytes_ = 0;
  unsigned window_frames_ = 0;
  unsigned low_windows_ = 0;
};

}  // namespace kvsbridge
