#include "mkv_parser.h"

#include <cstring>
#include <stdexcept>

namespace kvsbridge::testing {
namespace {

constexpr std::uint32_t kSimpleBlock = 0xA3;

class Reader {
 public:
  explicit Reader(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  [[nodiscard]] bool AtEnd() const { return position_ == bytes_.size(); }

  std::uint8_t Byte() {
    if (AtEnd()) throw std::runtime_error("the bytes end inside of an element");
    return bytes_[position_++];
  }

  std::vector<std::uint8_t> Take(std::uint64_t count) {
    if (count > bytes_.size() - position_) throw std::runtime_error("an element is cut off");
    const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(position_);
    position_ += count;
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
  }

  /// A variable-length integer; `keep_marker` for ids. Sets `all_ones` for "unknown size".
  std::uint64_t VariableInteger(bool keep_marker, bool& all_ones) {
    const std::uint8_t first = Byte();
    if (first == 0) throw std::runtime_error("a variable-length integer is over 8 bytes long");
    unsigned length = 1;
    while ((first & (0x80U >> (length - 1))) == 0) ++length;
    const auto marker = static_cast<std::uint8_t>(0x80U >> (length - 1));
    std::uint64_t value = keep_marker ? first : static_cast<std::uint64_t>(first & ~marker);
    std::uint64_t ones = static_cast<std::uint64_t>(marker) - 1;
    for (unsigned i = 1; i < length; ++i) {
      value = value << 8 | Byte();
      ones = ones << 8 | 0xFF;
    }
    all_ones = !keep_marker && value == ones;
    return value;
  }

 private:
  const std::vector<std::uint8_t>& bytes_;
  std::size_t position_ = 0;
};

}  // namespace

std::vector<MkvElement> ParseMkv(const std::vector<std::uint8_t>& bytes) {
  std::vector<MkvElement> elements;
  Reader reader(bytes);
  while (!reader.AtEnd()) {
    MkvElement element;
    bool ignored = false;
    element.id = static_cast<std::uint32_t>(reader.VariableInteger(true, ignored));
    const std::uint64_t size = reader.VariableInteger(false, element.unknown_size);
    if (!element.unknown_size) element.data = reader.Take(size);
    elements.push_back(std::move(element));
  }
  return elements;
}

std::uint64_t MkvElement::AsUnsigned() const {
  if (data.empty() || data.size() > 8) throw std::runtime_error("not an unsigned integer");
  std::uint64_t value = 0;
  for (const std::uint8_t byte : data) value = value << 8 | byte;
  return value;
}

double MkvElement::AsDouble() const {
  if (data.size() != 8) throw std::runtime_error("not a 64-bit float");
  const std::uint64_t bits = AsUnsigned();
  double value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

std::vector<MkvElement> MkvElement::Children() const { return ParseMkv(data); }

MkvElement MkvElement::Child(std::uint32_t child_id) const {
  std::vector<MkvElement> found;
  for (auto& child : Children()) {
    if (child.id == child_id) found.push_back(std::move(child));
  }
  if (found.size() != 1) {
    throw std::runtime_error("element " + std::to_string(child_id) + " is there " +
                             std::to_string(found.size()) + " times");
  }
  return found.front();
}

MkvBlock ParseSimpleBlock(const MkvElement& element) {
  if (element.id != kSimpleBlock) throw std::runtime_error("not a SimpleBlock");
  Reader reader(element.data);
  MkvBlock block;
  bool ignored = false;
  block.track = static_cast<unsigned>(reader.VariableInteger(false, ignored));
  const unsigned high = reader.Byte();
  block.relative_ms = static_cast<std::int16_t>(high << 8 | reader.Byte());
  const std::uint8_t flags = reader.Byte();
  block.keyframe = (flags & 0x80) != 0;
  if ((flags & 0x7F) != 0) throw std::runtime_error("a SimpleBlock is laced or invisible");
  block.data = reader.Take(element.data.size() - 4);
  return block;
}

}  // namespace kvsbridge::testing
