// Parameter sets inside the stream, for a configuration that the epoch does not declare.
#pragma once

#include <memory>

#include "media/frame.h"

namespace kvsbridge {

/// A new configuration cannot always begin an epoch at once: a fragment must last a second. Until
/// then frames carry their parameter sets themselves, and decoders follow.
class InBandSets {
 public:
  /// An epoch begins: from here on decoders know `declared`, and only that.
  void OnEpoch(std::shared_ptr<const VideoFormat> declared);

  /// Puts its parameter sets before a frame that a decoder could not read otherwise: the first of a
  /// configuration, and every keyframe of one that the epoch does not declare.
  void Apply(VideoFrame& frame);

 private:
  std::shared_ptr<const VideoFormat> declared_;
  std::shared_ptr<const VideoFormat> active_;  ///< what a decoder uses by now
};

}  // namespace kvsbridge
