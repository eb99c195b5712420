#include "media/recorder/nal_units.h"

#include <optional>

namespace kvsbridge {
namespace {

constexpr std::size_t kAvcHeaderBytes = 5;
constexpr std::size_t kHevcHeaderBytes = 22;

/// Reads big-endian numbers; past the end there is nothing.
class Reader {
 public:
  Reader(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  std::optional<std::size_t> Number(unsigned bytes) {
    if (left_ < bytes) return std::nullopt;
    std::size_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) value = value << 8U | data_[i];
    Advance(bytes);
    return value;
  }
  const std::uint8_t* Take(std::size_t bytes) {
    if (left_ < bytes) return nullptr;
    const std::uint8_t* taken = data_;
    Advance(bytes);
    return taken;
  }

 private:
  void Advance(std::size_t bytes) {
    data_ += bytes;
    left_ -= bytes;
  }

  const std::uint8_t* data_;
  std::size_t left_;
};

/// How many bytes a NAL unit's length takes, from lengthSizeMinusOne.
unsigned LengthBytes(const VideoFormat& format) {
  const std::size_t at = format.codec == VideoCodec::kH265 ? kHevcHeaderBytes - 1 : 4;
  return format.codec_private.size() > at ? (format.codec_private[at] & 3U) + 1 : 4;
}

void InspectAvc(std::uint8_t header, PictureTraits& traits) {
  constexpr unsigned kIdrSlice = 5;
  if ((header & 0x1FU) == kIdrSlice) traits.keyframe = true;
}

void InspectHevc(std::uint8_t header, PictureTraits& traits) {
  constexpr unsigned kRadlN = 6;
  constexpr unsigned kRaslR = 9;
  constexpr unsigned kBlaWLp = 16;
  constexpr unsigned kCra = 21;
  const unsigned type = header >> 1U & 0x3FU;
  if (type >= kBlaWLp && type <= kCra) traits.keyframe = true;
  if (type >= kRadlN && type <= kRaslR) traits.leading = true;
}

/// Copies `count` parameter sets of 16-bit lengths. False when they are cut off.
bool CopySets(Reader& reader, std::size_t count, unsigned length_bytes, Bytes& out) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto length = reader.Number(2);
    const std::uint8_t* set = length ? reader.Take(*length) : nullptr;
    if (set == nullptr) return false;
    for (unsigned byte = length_bytes; byte > 0; --byte) {
      const unsigned shift = 8 * (byte - 1);
      out.push_back(static_cast<std::uint8_t>(shift < 16 ? *length >> shift : 0));
    }
    out.insert(out.end(), set, set + *length);
  }
  return true;
}

bool CopyAvcSets(Reader& reader, unsigned length_bytes, Bytes& out) {
  if (reader.Take(kAvcHeaderBytes) == nullptr) return false;
  const auto sps_count = reader.Number(1);
  if (!sps_count || !CopySets(reader, *sps_count & 0x1FU, length_bytes, out)) return false;
  const auto pps_count = reader.Number(1);
  return pps_count && CopySets(reader, *pps_count, length_bytes, out);
}

bool CopyHevcSets(Reader& reader, unsigned length_bytes, Bytes& out) {
  if (reader.Take(kHevcHeaderBytes) == nullptr) return false;
  const auto arrays = reader.Number(1);
  if (!arrays) return false;
  for (std::size_t i = 0; i < *arrays; ++i) {
    const auto type = reader.Number(1);
    const auto count = reader.Number(2);
    if (!type || !count || !CopySets(reader, *count, length_bytes, out)) return false;
  }
  return true;
}

}  // namespace

PictureTraits InspectPicture(const VideoFormat& format, const std::uint8_t* data,
                             std::size_t size) {
  PictureTraits traits;
  Reader reader(data, size);
  const unsigned length_bytes = LengthBytes(format);
  while (const auto length = reader.Number(length_bytes)) {
    const std::uint8_t* nal = reader.Take(*length);
    if (nal == nullptr) break;
    if (*length == 0) continue;
    if (format.codec == VideoCodec::kH265) {
      InspectHevc(*nal, traits);
    } else {
      InspectAvc(*nal, traits);
    }
  }
  return traits;
}

Bytes ParameterSets(const VideoFormat& format) {
  Bytes out;
  Reader reader(format.codec_private.data(), format.codec_private.size());
  const bool whole = format.codec == VideoCodec::kH265
                         ? CopyHevcSets(reader, LengthBytes(format), out)
                         : CopyAvcSets(reader, LengthBytes(format), out);
  return whole ? out : Bytes{};
}

}  // namespace kvsbridge
