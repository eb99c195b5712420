// The question whether a peer is still there: a STUN binding request (RFC 7675).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace kvsbridge {

/// What a peer checks a request by.
struct ConsentCredentials {
  std::string local_ufrag;
  std::string remote_ufrag;
  std::string remote_password;
  bool controlling = true;        ///< our ICE role
  std::uint64_t tie_breaker = 0;  ///< RFC 8445, section 7.1.3: random, the same for a session
};

using StunTransactionId = std::array<std::uint8_t, 12>;

/// A binding request (RFC 8489) as ICE agents send and answer it all through a session (RFC 8445,
/// section 7.1): with USERNAME, PRIORITY, the role, MESSAGE-INTEGRITY and FINGERPRINT.
std::vector<std::uint8_t> MakeConsentRequest(const ConsentCredentials& credentials,
                                             const StunTransactionId& transaction);

}  // namespace kvsbridge
