// Reads Matroska back, strictly, with nothing shared with the writer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kvsbridge::testing {

/// One element. One of unknown size has no data of its own: its children follow it.
struct MkvElement {
  std::uint32_t id = 0;
  bool unknown_size = false;
  std::vector<std::uint8_t> data;

  [[nodiscard]] std::uint64_t AsUnsigned() const;
  [[nodiscard]] double AsDouble() const;
  [[nodiscard]] std::string AsString() const { return {data.begin(), data.end()}; }
  [[nodiscard]] std::vector<MkvElement> Children() const;
  /// The only child with this id. @throws std::runtime_error when there is none or several
  [[nodiscard]] MkvElement Child(std::uint32_t child_id) const;
};

/// A SimpleBlock's content.
struct MkvBlock {
  unsigned track = 0;
  int relative_ms = 0;
  bool keyframe = false;
  std::vector<std::uint8_t> data;
};

/// Splits bytes into elements. @throws std::runtime_error when they do not end with an element
std::vector<MkvElement> ParseMkv(const std::vector<std::uint8_t>& bytes);

/// @throws std::runtime_error when the element is no SimpleBlock
MkvBlock ParseSimpleBlock(const MkvElement& element);

}  // namespace kvsbridge::testing
