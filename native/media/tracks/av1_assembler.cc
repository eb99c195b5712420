#include "media/tracks/av1_assembler.h"

#include <utility>

namespace kvsbridge {
namespace {

// Aggregation header (RTP payload format, section 4.4): Z Y W W N, three bits reserved.
constexpr unsigned kContinuesBit = 0x80;
constexpr unsigned kContinuedBit = 0x40;
constexpr unsigned kElementCountShift = 4;
constexpr unsigned kElementCountMask = 0x03;
constexpr unsigned kNewSequenceBit = 0x08;

// OBU header (AV1 specification, section 5.3.2).
constexpr unsigned kForbiddenBit = 0x80;
constexpr unsigned kTypeShift = 3;
constexpr unsigned kTypeMask = 0x0f;
constexpr unsigned kExtensionBit = 0x04;
constexpr unsigned kHasSizeBit = 0x02;

constexpr unsigned kSequenceHeader = 1;
constexpr unsigned kTemporalDelimiter = 2;
constexpr unsigned kTileList = 8;

constexpr std::uint8_t kDelimiterObu[] = {0x12, 0x00};

constexpr unsigned kMaxLeb128Bytes = 8;

/// A view that shrinks as it is read.
struct Reader {
  const std::uint8_t* data;
  std::size_t size;

  void Skip(std::size_t bytes) {
    data += bytes;
    size -= bytes;
  }

  /// Reads an unsigned LEB128 number; nothing when it is cut off or longer than eight bytes.
  std::optional<std::uint64_t> ReadLeb128() {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < kMaxLeb128Bytes && i < size; ++i) {
      value |= std::uint64_t{data[i] & 0x7fU} << (7 * i);
      if ((data[i] & 0x80U) == 0) {
        Skip(i + 1);
        return value;
      }
    }
    return std::nullopt;
  }
};

void AppendLeb128(std::vector<std::uint8_t>& bytes, std::size_t value) {
  do {
    const auto low = static_cast<std::uint8_t>(value & 0x7fU);
    value >>= 7;
    bytes.push_back(value == 0 ? low : static_cast<std::uint8_t>(low | 0x80U));
  } while (value != 0);
}

}  // namespace

std::optional<Av1TemporalUnit> Av1Assembler::Push(const std::uint8_t* data, std::size_t size,
                                                  std::uint32_t timestamp, bool marker) {
  const bool begins = timestamp_ != timestamp;
  if (begins) BeginUnit();
  timestamp_ = timestamp;
  if (std::exchange(lost_, false)) {
    const bool begins_sequence = begins && size > 0 && (data[0] & kNewSequenceBit) != 0;
    spoiled_ = !begins_sequence;
  }
  if (!spoiled_ && !Parse(data, size)) {
    spoiled_ = true;
    needs_keyframe_ = true;
  }
  if (!marker) return std::nullopt;
  return Finish();
}

void Av1Assembler::BeginUnit() {
  unit_.clear();
  fragment_.clear();
  in_fragment_ = false;
  new_sequence_ = false;
  has_sequence_header_ = false;
  spoiled_ = false;
}

bool Av1Assembler::Parse(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return false;
  const unsigned header = data[0];
  const bool continues = (header & kContinuesBit) != 0;
  const bool continued = (header & kContinuedBit) != 0;
  const unsigned count = (header >> kElementCountShift) & kElementCountMask;
  if ((header & kNewSequenceBit) != 0) new_sequence_ = true;
  if (unit_.size() + fragment_.size() + size > kMaxUnitBytes) return false;

  Reader reader{data + 1, size - 1};
  for (unsigned index = 0; reader.size > 0; ++index) {
    // With a count, the last element has no length: it reaches to the end.
    std::size_t length = reader.size;
    const bool counted_last = count != 0 && index + 1 == count;
    if (!counted_last) {
      const auto told = reader.ReadLeb128();
      if (!told || *told > reader.size) return false;
      length = static_cast<std::size_t>(*told);
    }
    const bool last = counted_last || length == reader.size;
    if (count != 0 && last && !counted_last) return false;  // fewer elements than counted
    if (!AddElement(reader.data, length, continues && index == 0, continued && last)) return false;
    reader.Skip(length);
  }
  return true;
}

bool Av1Assembler::AddElement(const std::uint8_t* data, std::size_t size, bool continues,
                              bool continued) {
  // Both sides of a packet border must agree that an OBU goes across it.
  if (size == 0 || continues != in_fragment_) return false;
  fragment_.insert(fragment_.end(), data, data + size);
  in_fragment_ = continued;
  return continued || AddObu(std::exchange(fragment_, {}));
}

bool Av1Assembler::AddObu(const std::vector<std::uint8_t>& obu) {
  Reader reader{obu.data(), obu.size()};
  const unsigned header = reader.data[0];
  const std::size_t header_bytes = (header & kExtensionBit) != 0 ? 2 : 1;
  if ((header & kForbiddenBit) != 0 || reader.size < header_bytes) return false;
  reader.Skip(header_bytes);
  if ((header & kHasSizeBit) != 0) {
    const auto told = reader.ReadLeb128();
    if (!told || *told > reader.size) return false;
    reader.size = static_cast<std::size_t>(*told);
  }
  const unsigned type = (header >> kTypeShift) & kTypeMask;
  // Neither belongs into RTP; the delimiter is put back at the start of the unit.
  if (type == kTemporalDelimiter || type == kTileList) return true;
  if (type == kSequenceHeader) has_sequence_header_ = true;
  if (unit_.empty()) unit_.assign(std::begin(kDelimiterObu), std::end(kDelimiterObu));
  unit_.push_back(static_cast<std::uint8_t>(header | kHasSizeBit));
  if (header_bytes == 2) unit_.push_back(obu[1]);
  AppendLeb128(unit_, reader.size);
  unit_.insert(unit_.end(), reader.data, reader.data + reader.size);
  return true;
}

std::optional<Av1TemporalUnit> Av1Assembler::Finish() {
  if (!spoiled_ && in_fragment_) {  // it goes on in a packet that does not exist
    spoiled_ = true;
    needs_keyframe_ = true;
  }
  const bool whole = !spoiled_ && !unit_.empty();
  Av1TemporalUnit unit{std::move(unit_), new_sequence_ && has_sequence_header_};
  BeginUnit();
  timestamp_.reset();
  if (!whole) return std::nullopt;
  if (unit.keyframe) needs_keyframe_ = false;
  if (needs_keyframe_) return std::nullopt;
  return unit;
}

}  // namespace kvsbridge
