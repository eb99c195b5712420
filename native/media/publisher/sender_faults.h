// Makes a sender behave as awkward ones do: its clocks, its keyframes, its SSRC.
#pragma once

#include <cstdint>
#include <memory>

#include "glib/loop_thread.h"
#include "glib/ptr.h"
#include "media/publisher/test_format.h"

namespace kvsbridge {

/// A system clock that runs `skew_ppm` too fast from now on, for a pipeline whose capture and RTP
/// timestamps shall do so.
ObjectPtr<GstClock> MakeSkewedClock(double skew_ppm);

/// Counts and filters the keyframe requests that reach an encoder.
class KeyframeGate {
 public:
  /// Requests that arrived at `pay_source_pad` (upstream), whether obeyed or not. Any thread.
  [[nodiscard]] std::uint64_t requests() const;

  /// Puts the policy into force. `encoded_pad` is where encoded frames pass.
  void Install(GstPad* encoded_pad, GstPad* pay_source_pad, KeyframePolicy policy);

 private:
  std::shared_ptr<Guarded<std::uint64_t>> requests_ = std::make_shared<Guarded<std::uint64_t>>(0);
};

/// Rewrites the RTP packets that pass a payloader's source pad.
class RtpRewriter {
 public:
  /// @param pad of the payloader @param clock_rate_hz of its timestamps
  RtpRewriter(GstPad* pad, unsigned clock_rate_hz, const ClockFault& fault);

  /// From the next access unit on: another SSRC, sequence and timestamp base. Any thread.
  void ChangeSsrc();

  struct State;

 private:
  std::shared_ptr<Guarded<State>> state_;
};

/// Rewrites the NTP times in the sender reports that leave `rtpbin`, if `fault` says so.
void FaultSenderReports(GstElement* rtpbin, const ClockFault& fault);

/// The NTP time that a faulty sender shows. Both are NTP timestamps (RFC 3550, section 4).
/// @param first_ntp the first time that it was asked for
std::uint64_t FaultyNtp(const ClockFault& fault, std::uint64_t first_ntp, std::uint64_t ntp);

}  // namespace kvsbridge
