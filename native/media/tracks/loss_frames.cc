#include "media/tracks/loss_frames.h"

#include "glib/ptr.h"

namespace kvsbridge {
namespace {

/// H.264 NAL unit types (Rec. H.264, table 7-1) and RTP packet types (RFC 6184, table 1).
namespace h264 {
constexpr unsigned kIdrSlice = 5;
constexpr unsigned kSei = 6;
constexpr unsigned kSps = 7;
constexpr unsigned kPps = 8;
constexpr unsigned kAccessUnitDelimiter = 9;
constexpr unsigned kStapA = 24;
constexpr unsigned kFuA = 28;

unsigned Type(std::uint8_t header) { return header & 0x1fU; }
bool IsSlice(unsigned type) { return type >= 1 && type <= kIdrSlice; }
/// The slice header begins with first_mb_in_slice, ue(v): zero is a single one bit.
bool IsFirstSlice(std::uint8_t first_byte) { return (first_byte & 0x80U) != 0; }
}  // namespace h264

/// H.265 NAL unit types (Rec. H.265, table 7-1) and RTP packet types (RFC 7798, section 4.4).
namespace h265 {
constexpr unsigned kFirstIrap = 16;
constexpr unsigned kLastIrap = 23;
constexpr unsigned kVps = 32;
constexpr unsigned kSps = 33;
constexpr unsigned kAccessUnitDelimiter = 35;
constexpr unsigned kLastSlice = 31;
constexpr unsigned kAggregation = 48;
constexpr unsigned kFragment = 49;

unsigned Type(std::uint8_t header) { return (header >> 1U) & 0x3fU; }
/// The slice segment header begins with first_slice_segment_in_pic_flag.
bool IsFirstSlice(std::uint8_t first_byte) { return (first_byte & 0x80U) != 0; }
}  // namespace h265

FrameStart NalStart264(unsigned type, const std::uint8_t* body, std::size_t size) {
  if (type == h264::kSps || type == h264::kAccessUnitDelimiter) return FrameStart::kMarked;
  if (type == h264::kSei || type == h264::kPps) return FrameStart::kBare;
  const bool first = h264::IsSlice(type) && size > 0 && h264::IsFirstSlice(body[0]);
  return first ? FrameStart::kBare : FrameStart::kNo;
}

FrameStart ReadH264(const std::uint8_t* payload, std::size_t size) {
  const unsigned type = h264::Type(payload[0]);
  // The aggregated unit's size (two bytes) and header precede its body.
  if (type == h264::kStapA) {
    return size < 4 ? FrameStart::kNo : NalStart264(h264::Type(payload[3]), payload + 4, size - 4);
  }
  if (type != h264::kFuA) return NalStart264(type, payload + 1, size - 1);
  const bool begins = size >= 2 && (payload[1] & 0x80U) != 0;
  return begins ? NalStart264(h264::Type(payload[1]), payload + 2, size - 2) : FrameStart::kNo;
}

FrameStart NalStart265(unsigned type, const std::uint8_t* body, std::size_t size) {
  if (type == h265::kVps || type == h265::kSps || type == h265::kAccessUnitDelimiter) {
    return FrameStart::kMarked;
  }
  if (type > h265::kLastSlice) return FrameStart::kBare;
  return size > 0 && h265::IsFirstSlice(body[0]) ? FrameStart::kBare : FrameStart::kNo;
}

FrameStart ReadH265(const std::uint8_t* payload, std::size_t size) {
  if (size < 3) return FrameStart::kNo;
  const unsigned type = h265::Type(payload[0]);
  if (type == h265::kAggregation) {
    return size < 6 ? FrameStart::kNo : NalStart265(h265::Type(payload[4]), payload + 6, size - 6);
  }
  if (type != h265::kFragment) return NalStart265(type, payload + 2, size - 2);
  const bool begins = (payload[2] & 0x80U) != 0;
  return begins ? NalStart265(payload[2] & 0x3fU, payload + 3, size - 3) : FrameStart::kNo;
}

/// Descriptor: X R N S R PID. The frame begins with S set, in partition 0.
FrameStart ReadVp8(const std::uint8_t* payload) {
  const bool begins = (payload[0] & 0x10U) != 0 && (payload[0] & 0x07U) == 0;
  return begins ? FrameStart::kMarked : FrameStart::kNo;
}

/// Descriptor: I P L F B E V Z. With layers, the picture begins with spatial layer 0.
FrameStart ReadVp9(const std::uint8_t* payload, std::size_t size) {
  const unsigned flags = payload[0];
  if ((flags & 0x08U) == 0) return FrameStart::kNo;
  if ((flags & 0x20U) == 0) return FrameStart::kMarked;
  std::size_t layer_at = 1;
  if ((flags & 0x80U) != 0) layer_at += size > 1 && (payload[1] & 0x80U) != 0 ? 2 : 1;
  if (size <= layer_at) return FrameStart::kNo;
  const unsigned spatial_layer = (payload[layer_at] >> 1U) & 0x07U;
  return spatial_layer == 0 ? FrameStart::kMarked : FrameStart::kNo;
}

/// Aggregation header: Z Y W W N. N marks the first packet of a coded video sequence, which is what
/// begins with a keyframe; Z continues a unit of the packet before.
FrameStart ReadAv1(const std::uint8_t* payload) {
  if ((payload[0] & 0x08U) != 0) return FrameStart::kMarked;
  return (payload[0] & 0x80U) != 0 ? FrameStart::kNo : FrameStart::kBare;
}

/// Calls `visit(header, body, body_size)` for each NAL unit until it returns false.
template <typename Visit>
void ForEachNal(const MappedBuffer& frame, std::size_t header_size, Visit visit) {
  constexpr std::size_t kLengthSize = 4;
  const std::uint8_t* data = frame.data();
  std::size_t left = frame.size();
  while (left > kLengthSize + header_size) {
    const std::size_t length = (static_cast<std::size_t>(data[0]) << 24U) |
                               (static_cast<std::size_t>(data[1]) << 16U) |
                               (static_cast<std::size_t>(data[2]) << 8U) | data[3];
    data += kLengthSize;
    left -= kLengthSize;
    if (length > left) return;
    if (length > header_size && !visit(data[0], data + header_size)) return;
    data += length;
    left -= length;
  }
}

}  // namespace

FrameStart ReadFrameStart(const std::string& codec, const std::uint8_t* payload, std::size_t size) {
  if (payload == nullptr || size == 0) return FrameStart::kNo;
  if (codec == "H264") return ReadH264(payload, size);
  if (codec == "H265") return ReadH265(payload, size);
  if (codec == "VP8") return ReadVp8(payload);
  if (codec == "VP9") return ReadVp9(payload, size);
  if (codec == "AV1") return ReadAv1(payload);
  return FrameStart::kNo;
}

std::vector<std::uint8_t> FillerPayload(const std::string& codec) {
  // NAL units of type 12 and 38: one byte of filler, then the trailing bits.
  if (codec == "H264") return {0x0c, 0xff, 0x80};
  if (codec == "H265") return {0x4c, 0x01, 0xff, 0x80};
  return {};
}

bool IsWholeIdr(GstBuffer* frame) {
  bool whole = false;
  ForEachNal(MappedBuffer(frame), 1, [&whole](std::uint8_t header, const std::uint8_t* body) {
    const unsigned type = h264::Type(header);
    if (!h264::IsSlice(type)) return true;
    whole = type == h264::kIdrSlice && h264::IsFirstSlice(body[0]);
    return false;
  });
  return whole;
}

bool IsWholeIrap(GstBuffer* frame) {
  bool whole = false;
  ForEachNal(MappedBuffer(frame), 2, [&whole](std::uint8_t header, const std::uint8_t* body) {
    const unsigned type = h265::Type(header);
    if (type > h265::kLastSlice) return true;
    whole = type >= h265::kFirstIrap && type <= h265::kLastIrap && h265::IsFirstSlice(body[0]);
    return false;
  });
  return whole;
}

bool IsNoDeltaUnit(GstBuffer* frame) {
  return !GST_BUFFER_FLAG_IS_SET(frame, GST_BUFFER_FLAG_DELTA_UNIT);
}

}  // namespace kvsbridge
