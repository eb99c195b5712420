#include "media/offer_caps.h"

#include <gst/webrtc/webrtc.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace kvsbridge {
namespace {

/// One row of the offer. Each has an RTX payload type of its own: webrtcbin before 1.28 adds RTX
/// for the first format only, or twice the same one.
struct H264Profile {
  int payload_type;
  int rtx_payload_type;
  const char* profile_level_id;
};

// Constrained baseline first: every WebRTC stack sends it, and decoders everywhere take it.
constexpr std::array kH264Profiles = {
    H264Profile{96, 97, "42e01f"},    // constrained baseline
    H264Profile{98, 99, "42001f"},    // baseline
    H264Profile{100, 101, "4d001f"},  // main
    H264Profile{102, 103, "64001f"},  // high
};

constexpr int kOpusPayloadType = 111;

}  // namespace

CapsPtr VideoOfferCaps() {
  std::string text;
  for (const auto& profile : kH264Profiles) {
    if (!text.empty()) text += ';';
    text += "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=" +
            std::to_string(profile.payload_type) +
            ",packetization-mode=(string)1,level-asymmetry-allowed=(string)1,profile-level-id="
            "(string)" +
            profile.profile_level_id +
            ",rtcp-fb-nack=true,rtcp-fb-nack-pli=true,rtcp-fb-ccm-fir=true";
  }
  for (const auto& profile : kH264Profiles) {
    text += ";application/x-rtp,media=video,encoding-name=rtx,clock-rate=90000,payload=" +
            std::to_string(profile.rtx_payload_type) + ",apt=(string)" +
            std::to_string(profile.payload_type);
  }
  return CapsPtr::Adopt(gst_caps_from_string(text.c_str()));
}

CapsPtr AudioOfferCaps() {
  const std::string text =
      "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,"
      "stereo=(string)1,useinbandfec=(string)1,payload=" +
      std::to_string(kOpusPayloadType);
  return CapsPtr::Adopt(gst_caps_from_string(text.c_str()));
}

bool PeerSendsAudio(GstElement* webrtc) {
  GstWebRTCSessionDescription* raw_description = nullptr;
  g_object_get(webrtc, "remote-description", &raw_description, nullptr);
  const std::unique_ptr<GstWebRTCSessionDescription, decltype(&gst_webrtc_session_description_free)>
      description(raw_description, gst_webrtc_session_description_free);
  if (!description) return false;
  for (guint i = 0; i < gst_sdp_message_medias_len(description->sdp); ++i) {
    const GstSDPMedia* media = gst_sdp_message_get_media(description->sdp, i);
    if (std::string_view(gst_sdp_media_get_media(media)) != "audio") continue;
    const bool sends = gst_sdp_media_get_attribute_val(media, "sendrecv") != nullptr ||
                       gst_sdp_media_get_attribute_val(media, "sendonly") != nullptr;
    if (sends) return true;
  }
  return false;
}

}  // namespace kvsbridge
