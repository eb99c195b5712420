#include "media/sinks/kvs_caps.h"

namespace kvsbridge {
namespace {

void SetCodecData(GstCaps* caps, const Bytes& codec_private) {
  const auto data =
      BufferPtr::Adopt(gst_buffer_new_memdup(codec_private.data(), codec_private.size()));
  gst_caps_set_simple(caps, "codec_data", GST_TYPE_BUFFER, data.get(), nullptr);
}

}  // namespace

CapsPtr KvsVideoCaps(const VideoFormat& format) {
  const bool hevc = format.codec == VideoCodec::kH265;
  auto caps = CapsPtr::Adopt(gst_caps_new_simple(
      hevc ? "video/x-h265" : "video/x-h264", "stream-format", G_TYPE_STRING, hevc ? "hvc1" : "avc",
      "alignment", G_TYPE_STRING, "au", "width", G_TYPE_INT, static_cast<gint>(format.width),
      "height", G_TYPE_INT, static_cast<gint>(format.height), nullptr));
  SetCodecData(caps.get(), format.codec_private);
  return caps;
}

CapsPtr KvsAudioCaps(const AudioFormat& format) {
  const auto rate = static_cast<gint>(format.sample_rate);
  const auto channels = static_cast<gint>(format.channels);
  if (format.codec != AudioCodec::kAac) {
    return CapsPtr::Adopt(
        gst_caps_new_simple(format.codec == AudioCodec::kAlaw ? "audio/x-alaw" : "audio/x-mulaw",
                            "rate", G_TYPE_INT, rate, "channels", G_TYPE_INT, channels, nullptr));
  }
  auto caps = CapsPtr::Adopt(gst_caps_new_simple(
      "audio/mpeg", "mpegversion", G_TYPE_INT, 4, "stream-format", G_TYPE_STRING, "raw", "rate",
      G_TYPE_INT, rate, "channels", G_TYPE_INT, channels, nullptr));
  SetCodecData(caps.get(), format.codec_private);
  return caps;
}

}  // namespace kvsbridge
