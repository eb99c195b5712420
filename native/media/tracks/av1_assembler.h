// Temporal units of AV1 out of RTP payloads ("RTP Payload Format For AV1", v1.0, AOMedia).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace kvsbridge {

/// One temporal unit in AV1's low-overhead bitstream format: a temporal delimiter, then OBUs that
/// each tell their size.
struct Av1TemporalUnit {
  std::vector<std::uint8_t> data;
  bool keyframe = false;  ///< begins a coded video sequence, with its sequence header
};

/// Joins what packets carry. Reads untrusted bytes: whatever does not add up spoils the temporal
/// unit it is in, and nothing else.
class Av1Assembler {
 public:
  /// The next packet's payload, in order of sequence numbers.
  /// @param timestamp RTP's: the same in all packets of a unit
  /// @param marker the packet ends its temporal unit
  /// @return a unit that is complete and whole
  std::optional<Av1TemporalUnit> Push(const std::uint8_t* data, std::size_t size,
                                      std::uint32_t timestamp, bool marker);

  /// Packets are missing before the next one: the unit that it belongs to cannot become whole,
  /// unless it says that it begins a sequence.
  void OnLoss() { lost_ = true; }

  /// True when a packet was malformed and no keyframe came since: until then nothing is given out.
  [[nodiscard]] bool needs_keyframe() const { return needs_keyframe_; }

  /// The most bytes of one temporal unit.
  static constexpr std::size_t kMaxUnitBytes = 8UL * 1024 * 1024;

 private:
  bool Parse(const std::uint8_t* data, std::size_t size);
  bool AddElement(const std::uint8_t* data, std::size_t size, bool continues, bool continued);
  bool AddObu(const std::vector<std::uint8_t>& obu);
  std::optional<Av1TemporalUnit> Finish();
  void BeginUnit();

  std::vector<std::uint8_t> unit_;
  std::vector<std::uint8_t> fragment_;  ///< an OBU whose end is in a later packet
  bool in_fragment_ = false;
  bool new_sequence_ = false;
  bool has_sequence_header_ = false;
  bool spoiled_ = false;
  bool lost_ = false;
  bool needs_keyframe_ = false;
  std::optional<std::uint32_t> timestamp_;  ///< of the unit under way
};

}  // namespace kvsbridge
