// Which elements decode a codec and encode H.264 again.
#pragma once

#include <vector>

#include "glib/ptr.h"
#include "media/tracks/codecs.h"

namespace kvsbridge {

/// @param codec one that is not stored untouched. @throws MediaError (kMissingPlugin)
void RequireTranscoderElements(SourceCodec codec);

/// Depayloader of a codec.
ElementPtr MakeTranscodedDepayloader(SourceCodec codec);

/// A parser that tells the picture's size and which frames are keyframes, or nothing where the
/// depayloader does.
std::vector<ElementPtr> MakeTranscodedParser(SourceCodec codec);

/// A decoder on one thread, without reordering, that survives everything it is fed.
ElementPtr MakeVideoDecoder(SourceCodec codec);

/// x264enc, else openh264enc: H.264 without B-frames or look-ahead, one thread, keyframes when
/// asked for and every 300 frames. @throws MediaError (kMissingPlugin)
ElementPtr MakeH264Encoder();

/// Sets the most that the encoder may give out, in bit/s, at any time while it runs.
///
/// @param frame_rate the real one; the encoder takes frames to come at `kNominalFrameRate`
void SetEncoderBitrate(GstElement* encoder, unsigned bitrate_bps, double frame_rate);

/// The frame rate that the encoder is told. Told none it would hold each frame back until the next
/// one comes, which on a still screen is seconds.
constexpr int kNominalFrameRate = 30;

}  // namespace kvsbridge
