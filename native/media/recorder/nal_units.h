// What the NAL units of an access unit say; ITU-T H.264 table 7-1 and H.265 table 7-1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "media/frame.h"

namespace kvsbridge {

/// What matters of a picture for where decoding may begin.
struct PictureTraits {
  /// Decoding may begin here: an IDR picture, or of H.265 any IRAP picture. A non-IDR I picture is
  /// not one: what follows it may refer to what came before it.
  bool keyframe = false;
  /// Follows an H.265 IRAP picture, but is shown before it; may refer to what came before that.
  bool leading = false;
};

/// Reads the headers of an access unit's NAL units, which stand behind their lengths. Bytes that
/// are no such row end the reading; what was found by then counts.
PictureTraits InspectPicture(const VideoFormat& format, const std::uint8_t* data, std::size_t size);

/// The parameter sets of an avcC or hvcC record (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1) as NAL
/// units behind their lengths, ready to stand at an access unit's front. Empty when the record is
/// not well formed.
Bytes ParameterSets(const VideoFormat& format);

}  // namespace kvsbridge
