// The publisher's test picture and tone.
#pragma once

#include <cstdint>

#include "glib/ptr.h"

namespace kvsbridge {

/// Size and pace of the test picture.
struct TestSourceOptions {
  unsigned width = 1280;
  unsigned height = 720;
  unsigned frame_rate = 30;
  unsigned video_bitrate_bps = 2'000'000;
  bool audio = true;
};

/// Where the machine-readable frame counter stands in the picture: `kCounterBits` squares in a row
/// from the top left corner, most significant bit first, white for 1. A square for the flash (white
/// on the first frame of each second, when the tone ticks too) follows them.
constexpr unsigned kCounterBits = 24;
constexpr unsigned kCounterSquare = 16;

/// A bin that renders a moving picture with a clock for people and a frame counter for machines,
/// encoded as constrained-baseline H.264. Its "gate" element, a valve, is closed at first.
ElementPtr MakeTestVideo(const TestSourceOptions& options, unsigned payload_type);

/// A bin that plays a 1 kHz tick at each full second of running time, encoded as Opus. Its "gate"
/// is closed at first.
ElementPtr MakeTestAudio(unsigned payload_type);

}  // namespace kvsbridge
