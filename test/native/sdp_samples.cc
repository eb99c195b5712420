#include "sdp_samples.h"

#include <gtest/gtest.h>

namespace kvsbridge::testing {
namespace {

/// Joins lines with CRLF, as RFC 8866 asks.
std::string Lines(const std::vector<std::string>& lines) {
  std::string result;
  for (const auto& line : lines) result += line + "\r\n";
  return result;
}

const std::string kFingerprint =
    "a=fingerprint:sha-256 "
    "6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:"
    "08";

std::string FirefoxAnswer() {
  return Lines({"v=0",
                "o=mozilla...THIS_IS_SDPARTA-99.0 4962303333179871722 0 IN IP4 0.0.0.0",
                "s=-",
                "t=0 0",
                kFingerprint,
                "a=group:BUNDLE video0 audio1",
                "a=ice-options:trickle",
                "a=msid-semantic:WMS *",
                "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
                "c=IN IP4 0.0.0.0",
                "a=sendonly",
                "a=fmtp:96 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1",
                "a=fmtp:97 apt=96",
                "a=ice-pwd:9b5fd0d4a9c2a8b6fbd9c2a8f9d2f3a1",
                "a=ice-ufrag:d5a8b1c2",
                "a=mid:video0",
                "a=msid:{c0ffee00-1234} {c0ffee01-5678}",
                "a=rtcp-fb:96 nack",
                "a=rtcp-fb:96 nack pli",
                "a=rtcp-fb:96 ccm fir",
                "a=rtcp-mux",
                "a=rtpmap:96 H264/90000",
                "a=rtpmap:97 rtx/90000",
                "a=setup:active",
                "a=ssrc:2813217321 cname:{b2266c86-259f-4853-8662-ea94cf0835a3}",
                "m=audio 9 UDP/TLS/RTP/SAVPF 111",
                "c=IN IP4 0.0.0.0",
                "a=sendonly",
                "a=fmtp:111 maxplaybackrate=48000;stereo=1;useinbandfec=1",
                "a=ice-pwd:9b5fd0d4a9c2a8b6fbd9c2a8f9d2f3a1",
                "a=ice-ufrag:d5a8b1c2",
                "a=mid:audio1",
                "a=rtcp-mux",
                "a=rtpmap:111 opus/48000/2",
                "a=setup:active",
                "a=ssrc:1813217321 cname:{b2266c86-259f-4853-8662-ea94cf0835a3}"});
}

/// aiortc puts everything into each section, offers no trickle and several fingerprints.
std::string AiortcAnswer() {
  const std::string sha384 =
      "a=fingerprint:sha-384 "
      "01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:"
      "1F:20:21:22:23:24:25:26:27:28:29:2A:2B:2C:2D:2E:2F:30";
  return Lines({"v=0",
                "o=- 3913221322 3913221322 IN IP4 0.0.0.0",
                "s=-",
                "t=0 0",
                "a=group:BUNDLE video0 audio1",
                "a=msid-semantic:WMS *",
                "m=video 43567 UDP/TLS/RTP/SAVPF 96 97",
                "c=IN IP4 192.168.1.20",
                "a=sendonly",
                "a=mid:video0",
                "a=msid:a8 b7",
                "a=rtcp:9 IN IP4 0.0.0.0",
                "a=rtcp-mux",
                "a=ssrc-group:FID 3102222221 1022222222",
                "a=ssrc:3102222221 cname:3b6c",
                "a=ssrc:1022222222 cname:3b6c",
                "a=rtpmap:96 H264/90000",
                "a=rtcp-fb:96 nack",
                "a=rtcp-fb:96 nack pli",
                "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f;level-asymmetry-allowed=1",
                "a=rtpmap:97 rtx/90000",
                "a=fmtp:97 apt=96",
                "a=candidate:6815297761 1 udp 2130706431 192.168.1.20 43567 typ host",
                "a=end-of-candidates",
                "a=ice-ufrag:KMwH",
                "a=ice-pwd:DRhFN4w1sBmQG0gSGZiv1b",
                sha384,
                kFingerprint,
                "a=setup:active",
                "m=audio 43567 UDP/TLS/RTP/SAVPF 111",
                "c=IN IP4 192.168.1.20",
                "a=sendonly",
                "a=mid:audio1",
                "a=rtcp-mux",
                "a=rtpmap:111 opus/48000/2",
                "a=ice-ufrag:KMwH",
                "a=ice-pwd:DRhFN4w1sBmQG0gSGZiv1b",
                kFingerprint,
                "a=setup:active"});
}

/// webrtcbin declines a section by port 0 and leaves its attributes standing.
std::string GstreamerVideoOnlyAnswer() {
  return Lines({"v=0",
                "o=- 6011290412 0 IN IP4 0.0.0.0",
                "s=-",
                "t=0 0",
                "a=ice-options:trickle",
                "a=group:BUNDLE video0",
                "m=video 9 UDP/TLS/RTP/SAVPF 96",
                "c=IN IP4 0.0.0.0",
                "a=ice-ufrag:CBdI2V5o7RG1YkMY2q2XcEPuEaXWHm+1",
                "a=ice-pwd:ytWtbQ+4pFtS6Q9I9YxKGiuZVv3kmW32",
                "a=mid:video0",
                "a=rtcp-mux",
                "a=setup:active",
                "a=rtpmap:96 H264/90000",
                "a=rtcp-fb:96 nack pli",
                "a=fmtp:96 packetization-mode=1;profile-level-id=42c01f",
                "a=ssrc:1 msid:user1 webrtctransceiver0",
                "a=sendonly",
                kFingerprint,
                "m=audio 0 UDP/TLS/RTP/SAVPF 111",
                "c=IN IP4 0.0.0.0",
                "a=mid:audio1",
                "a=inactive"});
}

}  // namespace

std::string ChromiumAnswer() {
  return Lines({"v=0",
                "o=- 5318470319847015381 2 IN IP4 127.0.0.1",
                "s=-",
                "t=0 0",
                "a=group:BUNDLE video0 audio1",
                "a=extmap-allow-mixed",
                "a=msid-semantic: WMS 6e2b",
                "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
                "c=IN IP4 0.0.0.0",
                "a=rtcp:9 IN IP4 0.0.0.0",
                "a=ice-ufrag:pIMW",
                "a=ice-pwd:JSKLyFNVNqoOfXzQY0m8YeSX",
                "a=ice-options:trickle",
                kFingerprint,
                "a=setup:active",
                "a=mid:video0",
                "a=sendonly",
                "a=msid:6e2b 9f1c",
                "a=rtcp-mux",
                "a=rtcp-rsize",
                "a=rtpmap:96 H264/90000",
                "a=rtcp-fb:96 ccm fir",
                "a=rtcp-fb:96 nack",
                "a=rtcp-fb:96 nack pli",
                "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
                "a=rtpmap:97 rtx/90000",
                "a=fmtp:97 apt=96",
                "a=ssrc-group:FID 1811111111 1822222222",
                "a=ssrc:1811111111 cname:Xk2",
                "a=ssrc:1822222222 cname:Xk2",
                "m=audio 9 UDP/TLS/RTP/SAVPF 111",
                "c=IN IP4 0.0.0.0",
                "a=ice-ufrag:pIMW",
                "a=ice-pwd:JSKLyFNVNqoOfXzQY0m8YeSX",
                kFingerprint,
                "a=setup:active",
                "a=mid:audio1",
                "a=sendonly",
                "a=rtcp-mux",
                "a=rtpmap:111 opus/48000/2",
                "a=rtcp-fb:111 transport-cc",
                "a=fmtp:111 minptime=10;useinbandfec=1",
                "a=ssrc:1833333333 cname:Xk2"});
}

std::vector<NamedSdp> PeerAnswers() {
  return {{"Chromium", ChromiumAnswer()},
          {"Firefox", FirefoxAnswer()},
          {"aiortc", AiortcAnswer()},
          {"GStreamer", GstreamerVideoOnlyAnswer()}};
}

std::string BrowserOffer() {
  const std::vector<std::string> transport = {
      "c=IN IP4 0.0.0.0", "a=ice-ufrag:8hhY", "a=ice-pwd:asd88fgpdd777uzjYhagZgQQ",
      kFingerprint,       "a=setup:actpass",  "a=rtcp-mux"};
  std::vector<std::string> lines = {
      "v=0",   "o=- 1 2 IN IP4 127.0.0.1", "s=-",
      "t=0 0", "a=group:BUNDLE 0 1",       "m=video 9 UDP/TLS/RTP/SAVPF 96 102 104 106"};
  lines.insert(lines.end(), transport.begin(), transport.end());
  for (const char* line :
       {"a=mid:0", "a=recvonly", "a=rtpmap:96 VP8/90000", "a=rtpmap:102 H264/90000",
        "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f",
        "a=rtpmap:104 H264/90000",
        "a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f",
        "a=rtpmap:106 H264/90000",
        "a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0"}) {
    lines.emplace_back(line);
  }
  lines.insert(lines.end(), transport.begin(), transport.end());
  for (const char* line : {"a=mid:1", "a=recvonly", "a=rtpmap:111 opus/48000/2",
                           "a=fmtp:111 minptime=10;useinbandfec=1", "a=rtpmap:0 PCMU/8000"}) {
    lines.emplace_back(line);
  }
  return Lines(lines);
}

std::vector<std::string> PeerCandidates() {
  return {std::string("candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx ") +
              "raddr 10.0.0.5 rport 9 generation 0 ufrag EsAw network-cost 999",
          "candidate:0 1 UDP 2122252543 192.168.1.20 54321 typ host",
          "candidate:1 1 TCP 2105524479 192.168.1.20 9 typ host tcptype active",
          "a=candidate:6815297761 1 udp 2130706431 2001:db8::1 43567 typ host",
          "candidate:3 2 udp 41885439 198.51.100.9 3478 typ relay raddr 203.0.113.7 rport 46154"};
}

std::string Replace(std::string sdp, std::string_view from, std::string_view to) {
  const auto position = sdp.find(from);
  EXPECT_NE(position, std::string::npos) << "the sample has no \"" << from << '"';
  if (position != std::string::npos) sdp.replace(position, from.size(), to);
  return sdp;
}

}  // namespace kvsbridge::testing
