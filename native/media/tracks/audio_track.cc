#include "media/tracks/audio_track.h"

#include <array>
#include <string_view>
#include <utility>

#include "media/aac.h"
#include "media/audio_format.h"
#include "media/gstreamer.h"
#include "media/tracks/aac_encoder.h"
#include "media/tracks/audio_retimer.h"

namespace kvsbridge {
namespace {

struct CodecElements {
  std::string_view encoding_name;
  const char* depayloader;
  const char* decoder;
  /// Caps of the coded sound where it may be stored as it is; null: it never is.
  const char* source_caps;
};

constexpr std::array kCodecs = {
    CodecElements{"OPUS", "rtpopusdepay", "opusdec", nullptr},
    CodecElements{"PCMU", "rtppcmudepay", "mulawdec", "audio/x-mulaw,rate=8000,channels=1"},
    CodecElements{"PCMA", "rtppcmadepay", "alawdec", "audio/x-alaw,rate=8000,channels=1"},
};

const CodecElements* FindCodec(const std::string& encoding_name) {
  for (const auto& codec : kCodecs) {
    if (codec.encoding_name == encoding_name) return &codec;
  }
  return nullptr;
}

/// Without `sprop-stereo`, which browsers never send, the depayloader declares mono and the decoder
/// mixes both channels into one. An Opus packet says itself how many it has, and decodes to two
/// all the same.
GstPadProbeReturn DeclareStereo(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer /*user_data*/) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const auto stereo = CapsPtr::Adopt(gst_caps_copy(caps));
  gst_caps_set_simple(stereo.get(), "sprop-stereo", G_TYPE_STRING, "1", nullptr);
  GST_PAD_PROBE_INFO_DATA(info) = gst_event_new_caps(stereo.get());
  gst_event_unref(event);
  return GST_PAD_PROBE_OK;
}

ElementPtr MakeDepayloader(const CodecElements& codec) {
  auto depay = MakeElement(codec.depayloader, "audio-depay");
  if (codec.encoding_name == "OPUS") {
    const auto pad = PadPtr::Adopt(gst_element_get_static_pad(depay.get(), "sink"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, DeclareStereo, nullptr,
                      nullptr);
  }
  return depay;
}

ElementPtr MakeDecoder(const CodecElements& codec) {
  auto decode = MakeElement(codec.decoder, "audio-decode");
  if (codec.encoding_name == "OPUS") {
    g_object_set(decode.get(), "use-inband-fec", TRUE, "plc", TRUE, nullptr);
  }
  return decode;
}

}  // namespace

bool IsAudioCodec(const std::string& encoding_name) { return FindCodec(encoding_name) != nullptr; }

void RequireAudioElements(AudioMode mode) {
  if (mode == AudioMode::kNone) return;
  for (const auto& codec : kCodecs) RequireElements({codec.depayloader, codec.decoder});
  RequireElements({"audioconvert", "audioresample"});
  MakeAacEncoder("probe");
}

TrackParts MakeAudioTrack(const std::string& encoding_name, AudioMode mode,
                          TrackHandlers handlers) {
  const CodecElements& codec = *FindCodec(encoding_name);
  TrackParts parts;
  parts.elements = {MakeDepayloader(codec)};
  if (mode == AudioMode::kSource && codec.source_caps != nullptr) {
    parts.elements.push_back(MakeTrackSink("audio-out", codec.source_caps, std::move(handlers)));
    parts.stored_as = encoding_name;
    return parts;
  }
  const std::string raw = "audio/x-raw,rate=" + std::to_string(kAacSampleRate) +
                          ",channels=" + std::to_string(kAacChannels);
  const auto convert = MakeElement("audioconvert", "audio-convert");
  const auto encode = MakeAacEncoder("audio-encode");
  RetimeAudio(PadPtr::Adopt(gst_element_get_static_pad(convert.get(), "sink")).get(),
              PadPtr::Adopt(gst_element_get_static_pad(encode.get(), "src")).get());
  parts.elements.insert(
      parts.elements.end(),
      {MakeDecoder(codec), convert, MakeElement("audioresample", "audio-resample"),
       MakeCapsFilter("audio-raw", raw), encode,
       MakeTrackSink("audio-out", "audio/mpeg,mpegversion=4,stream-format=raw",
                     std::move(handlers))});
  parts.stored_as = "AAC";
  return parts;
}

AudioFrame ReadAudioFrame(GstSample* sample) {
  const GstStructure* caps = gst_caps_get_structure(gst_sample_get_caps(sample), 0);
  AudioFrame frame;
  frame.data = BufferPtr::Share(gst_sample_get_buffer(sample));
  if (gst_structure_has_name(caps, "audio/mpeg") == TRUE) {
    frame.format = AacFormat();
    frame.duration_ns = kAacFrameNs;
    frame.pts_ns = -AacEncoderDelayNs();
    return frame;
  }
  const bool is_mulaw = gst_structure_has_name(caps, "audio/x-mulaw") == TRUE;
  frame.format = G711Format(is_mulaw ? AudioCodec::kMulaw : AudioCodec::kAlaw);
  // One byte a sample.
  const auto samples = static_cast<std::int64_t>(gst_buffer_get_size(frame.data.get()));
  frame.duration_ns = samples * kNsPerSecond / frame.format->sample_rate;
  return frame;
}

}  // namespace kvsbridge
