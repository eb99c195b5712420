// Session descriptions as the peers of the field send them, written for these tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvsbridge::testing {

struct NamedSdp {
  const char* name;
  std::string sdp;
};

/// Answers to an offer of one video and one audio section.
std::vector<NamedSdp> PeerAnswers();

/// The answer that each malformed one is derived from.
std::string ChromiumAnswer();

/// An offer of a browser viewer: video with H.264 in both packetization modes, VP8, and Opus.
std::string BrowserOffer();

/// Candidate lines that peers send.
std::vector<std::string> PeerCandidates();

/// `sdp` with the first `from` replaced. Fails the test when there is none.
std::string Replace(std::string sdp, std::string_view from, std::string_view to);

}  // namespace kvsbridge::testing
