#include "media/publisher/offer_reader.h"

#include <cstdlib>
#include <string_view>

#include "glib/ptr.h"
#include "media/media_error.h"
#include "media/peer/sdp_guard.h"

namespace kvsbridge {
namespace {

/// Prefers constrained baseline, the profile that the publisher encodes, to baseline, to others.
int RankOfH264(const GstStructure* format) {
  // GStreamer turns profile-level-id into a profile's name when level asymmetry is allowed.
  const std::string profile = ToString(gst_structure_get_string(format, "profile"));
  if (profile == "constrained-baseline") return 2;
  if (profile == "baseline") return 1;
  const GCharPtr id(
      g_ascii_strdown(ToString(gst_structure_get_string(format, "profile-level-id")).c_str(), -1));
  const std::string_view profile_id(id.get());
  if (profile_id.substr(0, 4) == "42e0" || profile_id.substr(0, 4) == "42c0") return 2;
  return profile_id.substr(0, 2) == "42" ? 1 : 0;
}

CapsPtr ReadFormat(const GstSDPMedia* media, int payload_type) {
  return CapsPtr::Adopt(gst_sdp_media_get_caps_from_media(media, payload_type));
}

bool IsMainProfile(const GstStructure* format) {
  if (ToString(gst_structure_get_string(format, "profile")) == "main") return true;
  return ToString(gst_structure_get_string(format, "profile-level-id")).rfind("4d", 0) == 0;
}

void Take(std::optional<unsigned>& slot, int payload_type) {
  if (!slot) slot = static_cast<unsigned>(payload_type);
}

/// G.711 has payload types for good (RFC 3551, section 6): an offer need not name them.
std::string EncodingNameOf(const GstStructure* format, int payload_type) {
  std::string name = ToString(gst_structure_get_string(format, "encoding-name"));
  if (!name.empty()) return name;
  if (payload_type == 0) return "PCMU";
  return payload_type == 8 ? "PCMA" : "";
}

void AddVideo(OfferedFormats& result, const GstStructure* format, int payload_type,
              int& best_rank) {
  const std::string name = EncodingNameOf(format, payload_type);
  if (name == "H264") {
    if (ToString(gst_structure_get_string(format, "packetization-mode")) != "1") return;
    if (IsMainProfile(format)) Take(result.h264_main, payload_type);
    if (RankOfH264(format) <= best_rank) return;
    best_rank = RankOfH264(format);
    result.h264 = static_cast<unsigned>(payload_type);
  } else if (name == "H265") {
    Take(result.h265, payload_type);
  } else if (name == "VP8") {
    Take(result.vp8, payload_type);
  } else if (name == "VP9") {
    const std::string profile = ToString(gst_structure_get_string(format, "profile-id"));
    if (profile.empty() || profile == "0") Take(result.vp9, payload_type);
  } else if (name == "AV1") {
    Take(result.av1, payload_type);
  }
}

void AddAudio(OfferedFormats& result, const GstStructure* format, int payload_type) {
  const std::string name = EncodingNameOf(format, payload_type);
  if (name == "OPUS") {
    Take(result.opus, payload_type);
  } else if (name == "PCMU") {
    Take(result.pcmu, payload_type);
  } else if (name == "PCMA") {
    Take(result.pcma, payload_type);
  }
}

bool IsEmpty(const OfferedFormats& formats) {
  return !formats.h264 && !formats.h265 && !formats.vp8 && !formats.vp9 && !formats.av1 &&
         !formats.opus && !formats.pcmu && !formats.pcma;
}

}  // namespace

std::optional<unsigned> OfferedFormats::Find(TestVideoCodec codec, bool main_profile) const {
  switch (codec) {
    case TestVideoCodec::kH264:
      return main_profile && h264_main ? h264_main : h264;
    case TestVideoCodec::kH265:
      return h265;
    case TestVideoCodec::kVp8:
      return vp8;
    case TestVideoCodec::kVp9:
      return vp9;
    case TestVideoCodec::kAv1:
      return av1;
  }
  return std::nullopt;
}

std::optional<unsigned> OfferedFormats::Find(TestAudioCodec codec) const {
  switch (codec) {
    case TestAudioCodec::kOpus:
      return opus;
    case TestAudioCodec::kPcmu:
      return pcmu;
    case TestAudioCodec::kPcma:
      return pcma;
  }
  return std::nullopt;
}

OfferedFormats ReadOffer(const std::string& sdp) {
  const SdpMessagePtr message = ParseRemoteDescription(sdp, 0);
  OfferedFormats result;
  int best_rank = -1;
  for (guint i = 0; i < gst_sdp_message_medias_len(message.get()); ++i) {
    const GstSDPMedia* media = gst_sdp_message_get_media(message.get(), i);
    const std::string_view kind = gst_sdp_media_get_media(media);
    if (kind == "application" || IsDeclined(media)) continue;
    for (guint j = 0; j < gst_sdp_media_formats_len(media); ++j) {
      const int payload_type = std::atoi(gst_sdp_media_get_format(media, j));
      const CapsPtr caps = ReadFormat(media, payload_type);
      if (!caps || gst_caps_get_size(caps.get()) == 0) continue;
      const GstStructure* format = gst_caps_get_structure(caps.get(), 0);
      if (kind == "video") AddVideo(result, format, payload_type, best_rank);
      if (kind == "audio") AddAudio(result, format, payload_type);
    }
  }
  if (IsEmpty(result)) {
    throw MediaError(ErrorKind::kBadPeerInput,
                     "the viewer's offer has no format that can be sent: H.264 "
                     "(packetization-mode 1), H.265, VP8, VP9, AV1, Opus or G.711");
  }
  return result;
}

}  // namespace kvsbridge
