// Which RTP packets begin a frame, and which frames need no other.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kvsbridge {

/// Whether a packet can be the first of a frame.
enum class FrameStart {
  kNo,      ///< something came before it
  kBare,    ///< of a frame without parameter sets or other mark of a beginning
  kMarked,  ///< certainly: the codec marks it
};

/// Reads an RTP payload. @param codec RTP encoding name: H264 (RFC 6184), H265 (RFC 7798), VP8
/// (RFC 7741), VP9 (RFC 9628) or AV1 (AOMedia's RTP specification); kNo for any other
FrameStart ReadFrameStart(const std::string& codec, const std::uint8_t* payload, std::size_t size);

/// An RTP payload that says nothing (filler data), for the depayloaders that give a frame out only
/// with its last packet. Empty where none is needed: the others forget frames that were broken off.
std::vector<std::uint8_t> FillerPayload(const std::string& codec);

/// Tells whether a decoder can begin with a frame.
using KeyframeTest = bool (*)(GstBuffer* frame);

/// An IDR picture from its first macroblock on, with four-byte NAL lengths (avc). Pictures that are
/// intra-coded but no IDR do not count: frames behind them may refer to frames before them.
bool IsWholeIdr(GstBuffer* frame);
/// The same for H.265 (hvc1, hev1): an IRAP picture from its first slice segment on.
bool IsWholeIrap(GstBuffer* frame);
/// A frame that its depayloader marked as independent: VP8, VP9, AV1.
bool IsNoDeltaUnit(GstBuffer* frame);

}  // namespace kvsbridge
