#include "media/offer_reader.h"

#include <cstdlib>
#include <string_view>

#include "glib/ptr.h"
#include "media/media_error.h"
#include "media/sdp_guard.h"

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

}  // namespace

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
      const std::string name = ToString(gst_structure_get_string(format, "encoding-name"));
      const std::string mode = ToString(gst_structure_get_string(format, "packetization-mode"));
      if (kind == "video" && name == "H264" && mode == "1" && RankOfH264(format) > best_rank) {
        best_rank = RankOfH264(format);
        result.h264 = static_cast<unsigned>(payload_type);
      } else if (kind == "audio" && name == "OPUS" && !result.opus) {
        result.opus = static_cast<unsigned>(payload_type);
      }
    }
  }
  if (!result.h264 && !result.opus) {
    throw MediaError(ErrorKind::kBadPeerInput,
                     "the viewer's offer has neither H.264 (packetization-mode 1) nor Opus");
  }
  return result;
}

}  // namespace kvsbridge
