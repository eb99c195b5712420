// The publisher's test picture and tone, from the raw source to RTP.
#pragma once

#include <string>

#include "glib/ptr.h"
#include "media/publisher/test_format.h"

namespace kvsbridge {

/// A bin that renders a moving picture with a clock for people and a frame counter for machines,
/// encoded and packed as `options` say. Its elements "gate" (a valve, closed at first), "size" (a
/// capsfilter in front of the encoder), "video-encode" and "video-pay" are for live control.
/// @throws MediaError (kMissingPlugin) when encoder or payloader is not installed
ElementPtr MakeTestVideo(const TestSourceOptions& options, unsigned payload_type);

/// A bin that plays a 1 kHz tick at each full second of running time. Its elements "gate" (a valve,
/// closed at first), "mute" (a volume) and "audio-pay" are for live control.
ElementPtr MakeTestAudio(const TestSourceOptions& options, unsigned payload_type);

/// Caps of the raw test picture, for the "size" element.
CapsPtr TestPictureCaps(unsigned width, unsigned height, unsigned frame_rate);

}  // namespace kvsbridge
