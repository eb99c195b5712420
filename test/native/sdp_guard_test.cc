// What peers may say, and what never reaches webrtcbin.
#include "media/peer/sdp_guard.h"

#include <gst/gst.h>
#include <gtest/gtest.h>

#include "media/media_error.h"
#include "mutator.h"
#include "sdp_samples.h"

namespace kvsbridge {
namespace {

using testing::ChromiumAnswer;
using testing::Mutator;
using testing::Replace;

/// The message of the refusal, or empty when the SDP is accepted.
std::string Refusal(const std::string& sdp, unsigned m_lines = 2) {
  try {
    EXPECT_NE(ParseRemoteDescription(sdp, m_lines), nullptr);
    return "";
  } catch (const MediaError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadPeerInput);
    EXPECT_STRNE(error.what(), "");
    return error.what();
  }
}

TEST(SdpGuardTest, AcceptsTheAnswersOfRealPeers) {
  for (const auto& [name, sdp] : testing::PeerAnswers()) EXPECT_EQ(Refusal(sdp), "") << name;
  EXPECT_EQ(Refusal(testing::BrowserOffer(), 0), "");
}

TEST(SdpGuardTest, AcceptsBareLineFeeds) {
  std::string sdp = ChromiumAnswer();
  std::erase(sdp, '\r');
  EXPECT_EQ(Refusal(sdp), "");
}

TEST(SdpGuardTest, AcceptsABundledSectionWithoutAPortOfItsOwn) {
  EXPECT_EQ(Refusal(Replace(Replace(ChromiumAnswer(), "m=audio 9", "m=audio 0"), "a=mid:audio1",
                            "a=mid:audio1\r\na=bundle-only")),
            "");
}

struct Malformed {
  const char* from;
  const char* to;
  const char* complaint;  ///< part of the refusal
};

class MalformedSdpTest : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedSdpTest, IsRefusedByName) {
  const std::string refusal = Refusal(Replace(ChromiumAnswer(), GetParam().from, GetParam().to));
  EXPECT_NE(refusal.find(GetParam().complaint), std::string::npos) << refusal;
}

INSTANTIATE_TEST_SUITE_P(
    Answers, MalformedSdpTest,
    ::testing::Values(
        Malformed{"v=0", "v=1", "v=0"}, Malformed{"v=0\r\n", "", "v=0"},
        Malformed{"s=-", "s-", "line 3"}, Malformed{"s=-", "S=-", "line 3"},
        Malformed{"s=-", "s=\x01", "control characters"}, Malformed{"s=-", "s=\xFF\xFE", "UTF-8"},
        Malformed{"m=video 9 UDP/TLS/RTP/SAVPF", "m=text 9 UDP/TLS/RTP/SAVPF", "neither audio"},
        Malformed{"UDP/TLS/RTP/SAVPF 96", "RTP/AVP 96", "DTLS"},
        Malformed{"SAVPF 96 97", "SAVPF 128", "payload type"},
        Malformed{"SAVPF 96 97", "SAVPF h264", "payload type"},
        Malformed{"SAVPF 96 97", "SAVPF", "section"},
        Malformed{"a=rtpmap:96 H264/90000", "a=rtpmap:96", "rtpmap"},
        Malformed{"a=rtpmap:96 H264/90000", "a=rtpmap:96 H264", "rtpmap"},
        Malformed{"a=rtpmap:96 H264/90000", "a=rtpmap:96 H264/99999999999", "rtpmap"},
        Malformed{"a=rtpmap:96 H264/90000", "a=rtpmap:300 H264/90000", "rtpmap"},
        Malformed{"a=fmtp:97 apt=96", "a=fmtp:apt=96", "fmtp"},
        Malformed{"a=rtcp-fb:96 nack", "a=rtcp-fb:x nack", "rtcp-fb"},
        Malformed{"a=ssrc:1811111111 cname", "a=ssrc:4294967296 cname", "ssrc"},
        Malformed{"a=ssrc:1811111111 cname:Xk2", "a=ssrc:1811111111", "ssrc"},
        Malformed{"a=mid:video0", "a=midi:video0", "no mid"},
        Malformed{"a=mid:video0", "a=mid:vi deo", "mid"},
        Malformed{"a=ice-ufrag:pIMW", "a=ice-ufrag:p", "ice-ufrag"},
        Malformed{"a=ice-ufrag:pIMW", "a=ice-ufrag:p MW", "ice-ufrag"},
        Malformed{"a=ice-pwd:JSKLyFNVNqoOfXzQY0m8YeSX", "a=ice-pwd:short", "ice-pwd"},
        Malformed{"a=fingerprint:sha-256 6B:", "a=fingerprint:sha-256 ", "fingerprint"},
        Malformed{"a=fingerprint:sha-256", "a=fingerprint:md5", "fingerprint"},
        Malformed{"a=fingerprint:sha-256 6B:", "a=fingerprint:sha-256 6G:", "fingerprint"},
        Malformed{"a=setup:active", "a=setup:holdconn", "setup"}));

TEST(SdpGuardTest, RefusesWhatIsNoSdp) {
  for (const char* text : {"", "\r\n", "{}", "v=0", "v=0\r\n", "not an sdp at all"}) {
    EXPECT_NE(Refusal(text, 0), "") << text;
  }
  EXPECT_NE(Refusal(std::string("v=0\r\n\0", 6), 0).find("control"), std::string::npos);
}

TEST(SdpGuardTest, RefusesTheWrongNumberOfSections) {
  EXPECT_NE(Refusal(ChromiumAnswer(), 1).find("2 media sections"), std::string::npos);
  EXPECT_NE(Refusal(ChromiumAnswer(), 3).find("the offer had 3"), std::string::npos);
}

TEST(SdpGuardTest, RefusesWhatIsTooMuch) {
  EXPECT_NE(Refusal(ChromiumAnswer() + std::string(70'000, 'x')).find("bytes"), std::string::npos);
  std::string attributes = ChromiumAnswer();
  for (int i = 0; i < 600; ++i) attributes += "a=x-" + std::to_string(i) + "\r\n";
  EXPECT_NE(Refusal(attributes).find("too many attributes"), std::string::npos);
  std::string sections = ChromiumAnswer();
  const std::string section = sections.substr(sections.find("m=audio"));
  for (int i = 0; i < 20; ++i) sections += section;
  EXPECT_NE(Refusal(sections, 0).find("too many media sections"), std::string::npos);
}

TEST(SdpGuardTest, NoDamagedDescriptionDoesHarm) {
  std::vector<std::string> samples = {testing::BrowserOffer()};
  for (const auto& [name, sdp] : testing::PeerAnswers()) samples.push_back(sdp);
  Mutator mutator(20'240'101);
  unsigned refused = 0;
  for (int i = 0; i < 2'500; ++i) {
    const std::string sdp = mutator.Damage(samples[mutator.Pick(samples.size())]);
    if (!Refusal(sdp, 0).empty()) ++refused;
  }
  // Most damage hits text that nothing depends on; both outcomes must be frequent.
  EXPECT_GT(refused, 500U);
  EXPECT_LT(refused, 2'250U);
}

TEST(CandidateGuardTest, AcceptsTheCandidatesOfRealPeers) {
  for (const auto& candidate : testing::PeerCandidates()) {
    EXPECT_EQ(CheckRemoteCandidate(candidate), CandidateVerdict::kUse) << candidate;
  }
}

TEST(CandidateGuardTest, KnowsTheEndAndNamesOfALink) {
  EXPECT_EQ(CheckRemoteCandidate(""), CandidateVerdict::kEndOfCandidates);
  EXPECT_EQ(CheckRemoteCandidate("candidate:1 1 udp 2113937151 "
                                 "5b3ad9a4-6a6c-4f0b-8a43-6d5a1f3f4c11.local 54400 typ host"),
            CandidateVerdict::kUnresolvable);
}

TEST(CandidateGuardTest, RefusesMalformedOnes) {
  const std::string good = "candidate:1 1 udp 2113937151 192.0.2.1 54400 typ host";
  EXPECT_EQ(CheckRemoteCandidate(good), CandidateVerdict::kUse);
  for (const std::string& bad : {std::string("nonsense"),
                                 std::string("candidate:"),
                                 std::string("candidate:1 1 udp 1"),
                                 Replace(good, "candidate:1", "candidate:" + std::string(33, '1')),
                                 Replace(good, "1 1 udp", "1 x udp"),
                                 Replace(good, "1 1 udp", "1 257 udp"),
                                 Replace(good, "1 1 udp", "1 00 udp"),
                                 Replace(good, "udp", "sctp"),
                                 Replace(good, "udp", "tcp"),
                                 Replace(good, "udp", "tcp") + " tcptype idle",
                                 Replace(good, "udp", "tcp") + " tcptype",
                                 Replace(good, "udp", " udp"),
                                 Replace(good, "1 udp", "1\tudp"),
                                 good + " ",
                                 Replace(good, "2113937151", "4294967296"),
                                 Replace(good, "54400", "65536"),
                                 Replace(good, "54400", "-1"),
                                 Replace(good, "typ", "type"),
                                 Replace(good, "host", "ghost"),
                                 good + "\r\na=x:y",
                                 good + " x \xC3\xA9",
                                 good + std::string(600, ' ')}) {
    EXPECT_THROW(CheckRemoteCandidate(bad), MediaError) << bad;
  }
}

TEST(CandidateGuardTest, NoDamagedCandidateDoesHarm) {
  const auto samples = testing::PeerCandidates();
  Mutator mutator(20'240'102);
  unsigned refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    try {
      CheckRemoteCandidate(mutator.Damage(samples[mutator.Pick(samples.size())]));
    } catch (const MediaError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadPeerInput);
      ++refused;
    }
  }
  EXPECT_GT(refused, 2'500U);
  EXPECT_LT(refused, 9'750U);
}

}  // namespace
}  // namespace kvsbridge
