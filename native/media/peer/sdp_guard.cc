#include "media/peer/sdp_guard.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <sstream>
#include <string_view>
#include <vector>

#include "media/media_error.h"

namespace kvsbridge {
namespace {

constexpr std::size_t kMaxSdpBytes = 64 * 1024;
constexpr std::size_t kMaxCandidateBytes = 512;
constexpr unsigned kMaxMLines = 16;
constexpr unsigned kMaxFormats = 64;
constexpr unsigned kMaxAttributes = 512;

[[noreturn]] void Reject(const std::string& what) {
  throw MediaError(ErrorKind::kBadPeerInput, what);
}

bool IsPrintable(std::string_view text, bool allow_line_ends) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) return true;
    return byte == '\t' || (allow_line_ends && (byte == '\r' || byte == '\n'));
  });
}

bool IsNumber(std::string_view text, std::uint64_t max, std::uint64_t min = 0) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [parsed_to, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && parsed_to == end && value >= min && value <= max;
}

/// Every line must be `<letter>=<value>`: GStreamer's parser skips what it does not understand,
/// which would shift the meaning of what follows.
void CheckLines(const std::string& sdp) {
  std::istringstream lines(sdp);
  std::string line;
  unsigned number = 0;
  while (std::getline(lines, line)) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    if (line.size() < 2 || line[1] != '=' || line[0] < 'a' || line[0] > 'z') {
      Reject("line " + std::to_string(number) + " of the SDP is not of the form <letter>=<value>");
    }
    if (number == 1 && line != "v=0") Reject("the SDP does not begin with v=0");
  }
  if (number == 0) Reject("the SDP is empty");
}

const gchar* FindAttribute(const GstSDPMessage* message, const GstSDPMedia* media,
                           const char* name) {
  const gchar* value = gst_sdp_media_get_attribute_val(media, name);
  return value != nullptr ? value : gst_sdp_message_get_attribute_val(message, name);
}

bool IsIceText(std::string_view text, std::size_t min, std::size_t max) {
  return text.size() >= min && text.size() <= max &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return g_ascii_isalnum(static_cast<gchar>(c)) != 0 || c == '+' || c == '/' || c == '-' ||
                  c == '_' || c == '=';
         });
}

/// "sha-256 AB:CD:…" with the digest length of its hash function (RFC 8122).
bool IsFingerprint(std::string_view text) {
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return false;
  std::string hash(text.substr(0, space));
  std::transform(hash.begin(), hash.end(), hash.begin(), g_ascii_tolower);
  const std::string_view digest = text.substr(space + 1);
  std::size_t bytes = 0;
  if (hash == "sha-256") bytes = 32;
  if (hash == "sha-384") bytes = 48;
  if (hash == "sha-512") bytes = 64;
  if (hash == "sha-1") bytes = 20;
  if (bytes == 0 || digest.size() != bytes * 3 - 1) return false;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const bool separator = i % 3 == 2;
    if (separator ? digest[i] != ':' : g_ascii_isxdigit(digest[i]) == 0) return false;
  }
  return true;
}

void CheckFormats(const GstSDPMedia* media, const std::string& where) {
  const guint formats = gst_sdp_media_formats_len(media);
  if (formats == 0 || formats > kMaxFormats) Reject(where + " lists no or too many formats");
  if (std::string_view(gst_sdp_media_get_media(media)) == "application") return;
  for (guint i = 0; i < formats; ++i) {
    const gchar* format = gst_sdp_media_get_format(media, i);
    if (format == nullptr || !IsNumber(format, 127)) {
      Reject(where + " has a payload type that is not a number from 0 to 127");
    }
  }
}

/// `a=rtpmap:<pt> <name>/<rate>[/<channels>]`, `a=fmtp:<pt> …`, `a=rtcp-fb:<pt|*> …`,
/// `a=ssrc:<number> …`: the ones whose numbers webrtcbin reads without a check of its own.
void CheckAttributes(const GstSDPMedia* media, const std::string& where) {
  const guint attributes = gst_sdp_media_attributes_len(media);
  if (attributes > kMaxAttributes) Reject(where + " has too many attributes");
  for (guint i = 0; i < attributes; ++i) {
    const GstSDPAttribute* attribute = gst_sdp_media_get_attribute(media, i);
    const std::string_view key = attribute->key != nullptr ? attribute->key : "";
    const std::string_view value = attribute->value != nullptr ? attribute->value : "";
    const std::string_view first = value.substr(0, value.find(' '));
    const bool has_rest = first.size() + 1 < value.size();
    if (key == "rtpmap") {
      const auto slash = value.find('/');
      const std::string_view after = slash == std::string_view::npos ? "" : value.substr(slash + 1);
      if (!IsNumber(first, 127) || slash == std::string_view::npos || slash < first.size() + 2 ||
          !IsNumber(after.substr(0, after.find('/')), 384000)) {
        Reject(where + " has a malformed rtpmap");
      }
    } else if (key == "fmtp") {
      if (!IsNumber(first, 127) || !has_rest) Reject(where + " has a malformed fmtp");
    } else if (key == "rtcp-fb") {
      if ((first != "*" && !IsNumber(first, 127)) || !has_rest) {
        Reject(where + " has a malformed rtcp-fb");
      }
    } else if (key == "ssrc") {
      if (!IsNumber(first, UINT32_MAX) || !has_rest) Reject(where + " has a malformed ssrc");
    } else if (key == "extmap") {
      if (!IsNumber(first.substr(0, first.find('/')), 255) || !has_rest) {
        Reject(where + " has a malformed extmap");
      }
    } else if (key == "mid") {
      if (value.empty() || value.size() > 64 || value.find(' ') != std::string_view::npos) {
        Reject(where + " has a malformed mid");
      }
    }
  }
}

void CheckMedia(const GstSDPMessage* message, guint index) {
  const GstSDPMedia* media = gst_sdp_message_get_media(message, index);
  const std::string where = "media section " + std::to_string(index) + " of the SDP";
  const gchar* kind = gst_sdp_media_get_media(media);
  const gchar* protocol = gst_sdp_media_get_proto(media);
  if (kind == nullptr || protocol == nullptr) Reject(where + " has no kind or no protocol");
  const std::string_view name(kind);
  if (name != "audio" && name != "video" && name != "application") {
    Reject(where + " is neither audio, video nor application");
  }
  if (std::string_view(protocol).find("TLS/") == std::string_view::npos) {
    Reject(where + " does not use a protocol over DTLS");
  }
  CheckFormats(media, where);
  CheckAttributes(media, where);
  if (gst_sdp_media_get_attribute_val(media, "mid") == nullptr) Reject(where + " has no mid");
  if (IsDeclined(media)) return;

  const gchar* ufrag = FindAttribute(message, media, "ice-ufrag");
  const gchar* password = FindAttribute(message, media, "ice-pwd");
  const gchar* fingerprint = FindAttribute(message, media, "fingerprint");
  const gchar* setup = FindAttribute(message, media, "setup");
  if (ufrag == nullptr || !IsIceText(ufrag, 4, 256)) Reject(where + " has no valid ice-ufrag");
  if (password == nullptr || !IsIceText(password, 22, 256)) Reject(where + " has no valid ice-pwd");
  if (fingerprint == nullptr || !IsFingerprint(fingerprint)) {
    Reject(where + " has no valid DTLS fingerprint");
  }
  const std::string_view role = setup == nullptr ? "" : setup;
  if (role != "active" && role != "passive" && role != "actpass") {
    Reject(where + " has no valid DTLS setup role");
  }
}

std::vector<std::string> SplitAtSpaces(std::string_view text) {
  std::vector<std::string> fields;
  for (;;) {
    const auto space = text.find(' ');
    fields.emplace_back(text.substr(0, space));
    if (space == std::string_view::npos) return fields;
    text.remove_prefix(space + 1);
  }
}

/// Looks among the pairs of name and value that follow a candidate's type.
bool HasTcpType(const std::vector<std::string>& fields) {
  for (std::size_t i = 8; i + 1 < fields.size(); i += 2) {
    if (fields[i] != "tcptype") continue;
    return fields[i + 1] == "active" || fields[i + 1] == "passive" || fields[i + 1] == "so";
  }
  return false;
}

}  // namespace

bool IsDeclined(const GstSDPMedia* media) {
  return gst_sdp_media_get_port(media) == 0 &&
         gst_sdp_media_get_attribute_val(media, "bundle-only") == nullptr;
}

SdpMessagePtr ParseRemoteDescription(const std::string& sdp, unsigned expected_m_lines) {
  if (sdp.size() > kMaxSdpBytes) {
    Reject("the SDP has " + std::to_string(sdp.size()) + " bytes, more than " +
           std::to_string(kMaxSdpBytes));
  }
  if (!IsPrintable(sdp, true)) Reject("the SDP contains control characters");
  // GStreamer puts attributes into structures, which take nothing else.
  if (g_utf8_validate_len(sdp.data(), sdp.size(), nullptr) == FALSE) {
    Reject("the SDP is not valid UTF-8");
  }
  CheckLines(sdp);

  GstSDPMessage* raw_message = nullptr;
  gst_sdp_message_new(&raw_message);
  SdpMessagePtr message(raw_message);
  if (gst_sdp_message_parse_buffer(reinterpret_cast<const guint8*>(sdp.data()),
                                   static_cast<guint>(sdp.size()), raw_message) != GST_SDP_OK) {
    Reject("the SDP cannot be parsed");
  }
  const guint m_lines = gst_sdp_message_medias_len(raw_message);
  if (expected_m_lines != 0 && m_lines != expected_m_lines) {
    Reject("the SDP answer has " + std::to_string(m_lines) + " media sections, the offer had " +
           std::to_string(expected_m_lines));
  }
  if (m_lines == 0 || m_lines > kMaxMLines) Reject("the SDP has no or too many media sections");
  for (guint i = 0; i < m_lines; ++i) CheckMedia(raw_message, i);
  return message;
}

CandidateVerdict CheckRemoteCandidate(const std::string& candidate) {
  if (candidate.empty()) return CandidateVerdict::kEndOfCandidates;
  if (candidate.size() > kMaxCandidateBytes) Reject("the candidate is longer than 512 bytes");
  if (!IsPrintable(candidate, false)) Reject("the candidate contains control characters");
  if (g_str_is_ascii(candidate.c_str()) == FALSE) Reject("the candidate is not ASCII");

  std::string_view rest(candidate);
  constexpr std::string_view kAttribute = "a=";
  constexpr std::string_view kPrefix = "candidate:";
  if (rest.substr(0, kAttribute.size()) == kAttribute) rest.remove_prefix(kAttribute.size());
  if (rest.substr(0, kPrefix.size()) != kPrefix) Reject("the candidate has no \"candidate:\"");

  // RFC 8839: foundation component transport priority address port "typ" type …
  const std::vector<std::string> fields = SplitAtSpaces(rest.substr(kPrefix.size()));
  for (const auto& field : fields) {
    if (field.empty() || field.find('\t') != std::string::npos) {
      // libnice would take an empty field for a value and shift what follows.
      Reject("the fields of the candidate are not separated by one space each");
    }
  }
  if (fields.size() < 8) Reject("the candidate has fewer than 8 fields");
  if (fields[0].size() > 32) Reject("the candidate's foundation is longer than 32 characters");
  if (!IsNumber(fields[1], 256, 1)) {
    Reject("the candidate's component is not a number from 1 to 256");
  }
  if (g_ascii_strcasecmp(fields[2].c_str(), "udp") != 0 &&
      g_ascii_strcasecmp(fields[2].c_str(), "tcp") != 0) {
    Reject("the candidate's transport is neither UDP nor TCP");
  }
  // libnice 0.1.21 compares the missing TCP type (RFC 6544) with a string and asserts.
  if (g_ascii_strcasecmp(fields[2].c_str(), "tcp") == 0 && !HasTcpType(fields)) {
    Reject("the TCP candidate has no valid \"tcptype\"");
  }
  if (!IsNumber(fields[3], UINT32_MAX)) Reject("the candidate's priority is not a number");
  if (!IsNumber(fields[5], 65535)) Reject("the candidate's port is not a number");
  if (fields[6] != "typ") Reject("the candidate has no \"typ\"");
  const std::string& type = fields[7];
  if (type != "host" && type != "srflx" && type != "prflx" && type != "relay") {
    Reject("the candidate's type is unknown");
  }
  const std::string& address = fields[4];
  if (g_hostname_is_ip_address(address.c_str()) == FALSE) return CandidateVerdict::kUnresolvable;
  return CandidateVerdict::kUse;
}

}  // namespace kvsbridge
