#include "media/peer/offer_caps.h"

#include <gst/webrtc/webrtc.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace kvsbridge {
namespace {

/// One row of the offer. Each has an RTX payload type of its own: webrtcbin before 1.28 adds RTX
/// for the first format only, or twice the same one.
struct VideoFormatRow {
  SourceCodec codec;
  int payload_type;
  int rtx_payload_type;
  const char* parameters;
};

constexpr std::array kVideoFormats = {
    // Constrained baseline first: every WebRTC stack sends it, and decoders everywhere take it.
    VideoFormatRow{SourceCodec::kH264, 96, 97,
                   "packetization-mode=(string)1,level-asymmetry-allowed=(string)1,"
                   "profile-level-id=(string)42e01f"},
    VideoFormatRow{SourceCodec::kH264, 98, 99,
                   "packetization-mode=(string)1,level-asymmetry-allowed=(string)1,"
                   "profile-level-id=(string)42001f"},  // baseline
    VideoFormatRow{SourceCodec::kH264, 100, 101,
                   "packetization-mode=(string)1,level-asymmetry-allowed=(string)1,"
                   "profile-level-id=(string)4d001f"},  // main
    VideoFormatRow{SourceCodec::kH264, 102, 103,
                   "packetization-mode=(string)1,level-asymmetry-allowed=(string)1,"
                   "profile-level-id=(string)64001f"},  // high
    // Main profile, main tier, level 4.1.
    VideoFormatRow{SourceCodec::kH265, 104, 105,
                   "profile-id=(string)1,tier-flag=(string)0,level-id=(string)123,"
                   "tx-mode=(string)SRST"},
    VideoFormatRow{SourceCodec::kVp8, 106, 107, ""},
    VideoFormatRow{SourceCodec::kVp9, 108, 109, "profile-id=(string)0"},
    // Main profile; without parameters, so that a sender may choose its level.
    VideoFormatRow{SourceCodec::kAv1, 112, 113, ""},
};

constexpr int kOpusPayloadType = 111;
// RFC 3551.
constexpr int kPcmuPayloadType = 0;
constexpr int kPcmaPayloadType = 8;

std::string VideoFormatText(const VideoFormatRow& row) {
  std::string text = "application/x-rtp,media=video,clock-rate=90000,encoding-name=";
  text += EncodingName(row.codec);
  text += ",payload=" + std::to_string(row.payload_type);
  if (*row.parameters != '\0') text += std::string(",") + row.parameters;
  return text + ",rtcp-fb-nack=true,rtcp-fb-nack-pli=true,rtcp-fb-ccm-fir=true";
}

std::string RtxText(const VideoFormatRow& row) {
  return "application/x-rtp,media=video,encoding-name=rtx,clock-rate=90000,payload=" +
         std::to_string(row.rtx_payload_type) + ",apt=(string)" + std::to_string(row.payload_type);
}

}  // namespace

CapsPtr VideoOfferCaps(const std::vector<SourceCodec>& codecs) {
  std::string formats;
  std::string rtx;
  for (const SourceCodec codec : codecs) {
    for (const auto& row : kVideoFormats) {
      if (row.codec != codec) continue;
      if (!formats.empty()) formats += ';';
      formats += VideoFormatText(row);
      rtx += ';' + RtxText(row);
    }
  }
  return CapsPtr::Adopt(gst_caps_from_string((formats + rtx).c_str()));
}

CapsPtr AudioOfferCaps() {
  const std::string text =
      "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,"
      "stereo=(string)1,useinbandfec=(string)1,payload=" +
      std::to_string(kOpusPayloadType) +
      ";application/x-rtp,media=audio,encoding-name=PCMU,clock-rate=8000,payload=" +
      std::to_string(kPcmuPayloadType) +
      ";application/x-rtp,media=audio,encoding-name=PCMA,clock-rate=8000,payload=" +
      std::to_string(kPcmaPayloadType);
  return CapsPtr::Adopt(gst_caps_from_string(text.c_str()));
}

bool PeerSends(GstElement* webrtc, std::string_view kind) {
  GstWebRTCSessionDescription* raw_description = nullptr;
  g_object_get(webrtc, "remote-description", &raw_description, nullptr);
  const std::unique_ptr<GstWebRTCSessionDescription, decltype(&gst_webrtc_session_description_free)>
      description(raw_description, gst_webrtc_session_description_free);
  if (!description) return false;
  for (guint i = 0; i < gst_sdp_message_medias_len(description->sdp); ++i) {
    const GstSDPMedia* media = gst_sdp_message_get_media(description->sdp, i);
    if (std::string_view(gst_sdp_media_get_media(media)) != kind) continue;
    const bool sends = gst_sdp_media_get_attribute_val(media, "sendrecv") != nullptr ||
                       gst_sdp_media_get_attribute_val(media, "sendonly") != nullptr;
    if (sends) return true;
  }
  return false;
}

}  // namespace kvsbridge
