#include "media/frame.h"

#include <array>
#include <cstdio>

namespace kvsbridge {
namespace {

std::string AvcName(const Bytes& avcc) {
  if (avcc.size() < 4) return "avc1";
  // Bytes 1 to 3: profile, constraint flags, level (ISO/IEC 14496-15, 5.3.3.1).
  std::array<char, 16> text = {};
  std::snprintf(text.data(), text.size(), "avc1.%02x%02x%02x", avcc[1], avcc[2], avcc[3]);
  return text.data();
}

std::uint32_t ReversedBits(std::uint32_t value) {
  std::uint32_t reversed = 0;
  for (int i = 0; i < 32; ++i) reversed |= (value >> i & 1U) << (31 - i);
  return reversed;
}

/// ISO/IEC 14496-15, annex E.3: profile, reversed compatibility flags, tier and level, constraints
/// without their trailing zero bytes. The bytes are those of the hvcC record (8.3.3.1).
std::string HevcName(const Bytes& hvcc) {
  if (hvcc.size() < 13) return "hvc1";
  constexpr std::array<const char*, 4> kProfileSpaces = {"", "A", "B", "C"};
  const std::uint32_t compatibility = std::uint32_t{hvcc[2]} << 24 | std::uint32_t{hvcc[3]} << 16 |
                                      std::uint32_t{hvcc[4]} << 8 | std::uint32_t{hvcc[5]};
  std::array<char, 48> text = {};
  std::snprintf(text.data(), text.size(), "hvc1.%s%u.%X.%c%u", kProfileSpaces.at(hvcc[1] >> 6),
                hvcc[1] & 0x1FU, ReversedBits(compatibility), (hvcc[1] & 0x20U) != 0 ? 'H' : 'L',
                hvcc[12]);
  std::string name = text.data();
  std::size_t end = 12;
  while (end > 6 && hvcc[end - 1] == 0) --end;
  for (std::size_t i = 6; i < end; ++i) {
    std::snprintf(text.data(), text.size(), ".%X", hvcc[i]);
    name += text.data();
  }
  return name;
}

}  // namespace

std::string Rfc6381(const VideoFormat& format) {
  return format.codec == VideoCodec::kH265 ? HevcName(format.codec_private)
                                           : AvcName(format.codec_private);
}

}  // namespace kvsbridge
