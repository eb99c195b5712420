// What libnice keeps to itself: when something last arrived, STUN included.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "glib/ptr.h"
#include "media/peer/selected_pair.h"

namespace kvsbridge {

/// One ICE component of webrtcbin, seen through its `nicesrc`.
///
/// libnice answers and takes STUN by itself, and its own consent checks (RFC 7675) take 30 s to
/// find a peer gone. So this asks the kernel when each socket last gave out a packet: SIOCGSTAMP
/// for UDP, TCP_INFO for TCP. libnice 0.1.21 does not tell the sockets of TURN over TCP and TLS:
/// what comes by those is not seen.
class IceTransport {
 public:
  /// @param nicesrc of the component
  explicit IceTransport(ElementPtr nicesrc);

  /// Whether anything was received since the last call; the first one only begins to look. Loop.
  bool PollArrival();
  /// Calls `function(descriptor)` with each of its sockets.
  void ForEachSocket(const std::function<void(int)>& function) const;
  /// Sends bytes to the peer along the selected pair, as they are. Loop.
  void Send(const std::vector<std::uint8_t>& bytes) const;
  /// Whether our side is ICE's controlling one.
  [[nodiscard]] bool controlling() const;
  /// What ICE chose so far.
  [[nodiscard]] CandidatePair pair() const { return selected_->Read(); }
  [[nodiscard]] GstElement* nicesrc() const { return nicesrc_.get(); }

 private:
  ElementPtr nicesrc_;
  ObjectPtr<GObject> agent_;
  std::unique_ptr<SelectedPair> selected_;
  guint stream_ = 0;
  guint component_ = 0;
  std::map<int, std::int64_t> stamps_;  ///< by descriptor: what identifies its newest packet
};

}  // namespace kvsbridge
