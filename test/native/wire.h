// A test source without a peer, and the RTP packets that it makes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "glib/ptr.h"

namespace kvsbridge::testing {

struct Packet {
  std::uint32_t ssrc = 0;
  GstClockTime pts = 0;
  std::uint32_t timestamp = 0;
  std::uint16_t sequence = 0;
  bool marker = false;
  std::vector<std::uint8_t> payload;
};

/// Runs a source of MakeTestVideo or MakeTestAudio.
class Wire {
 public:
  /// @param pay_name of the payloader in the source
  /// @param clock of the pipeline; null: GStreamer's choice
  Wire(const ElementPtr& source, const char* pay_name, GstClock* clock = nullptr);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();

  [[nodiscard]] ElementPtr Element(const char* name) const;
  [[nodiscard]] GstPad* pay_pad() const { return pay_pad_.get(); }

  void Start();
  /// The next packets; fails the test when they do not come.
  std::vector<Packet> Read(std::size_t count);
  /// Packets of this many access units.
  std::vector<Packet> ReadUnits(unsigned units);
  void RequestKeyframe(bool fir) const;
  /// A string of the last packet's caps.
  [[nodiscard]] std::string CapsField(const char* name) const;

 private:
  ElementPtr source_;
  ElementPtr pipeline_;
  ElementPtr sink_;
  PadPtr pay_pad_;
  CapsPtr caps_;
};

}  // namespace kvsbridge::testing
