// The certificate that this side shows in DTLS.
#pragma once

#include <gst/gst.h>
#include <gst/sdp/sdp.h>

#include <string>

namespace kvsbridge {

/// A certificate with its private key, given to webrtcbin's transports.
///
/// GStreamer makes one with an RSA key. Every WebRTC endpoint takes one with a P-256 key (RFC 8827,
/// section 6.5); some, aiortc 1.11 for one, take no other.
class DtlsIdentity {
 public:
  /// GStreamer's own.
  DtlsIdentity() = default;
  /// @param pem the certificate, then its private key (PKCS #8)
  /// @throws MediaError (kOptions) when one of the two is missing
  explicit DtlsIdentity(std::string pem);

  /// Gives it to every transport that the webrtcbin will create. To be called before there is one.
  /// @return the signal handler's id, 0 for GStreamer's own
  [[nodiscard]] gulong UseIn(GstElement* webrtc) const;

  /// Writes its fingerprint into a local description: webrtcbin takes the checksum of the key along
  /// with the certificate's.
  void WriteFingerprint(GstSDPMessage* description) const;

 private:
  std::string pem_;  // secret
  /// As an SDP attribute has it (RFC 8122).
  std::string fingerprint_;
};

}  // namespace kvsbridge
