#include "media/audio_format.h"

#include "media/aac.h"

namespace kvsbridge {
namespace {

constexpr unsigned kG711SampleRate = 8'000;
constexpr unsigned kG711FrameMs = 20;

void PutLittleEndian(std::uint32_t value, unsigned bytes, Bytes& out) {
  for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

/// WAVEFORMATEX, the CodecPrivate of A_MS/ACM: 18 bytes, little endian.
Bytes G711CodecPrivate(std::uint32_t format_tag) {
  Bytes out;
  PutLittleEndian(format_tag, 2, out);
  PutLittleEndian(1, 2, out);                // channels
  PutLittleEndian(kG711SampleRate, 4, out);  // samples per second
  PutLittleEndian(kG711SampleRate, 4, out);  // bytes per second
  PutLittleEndian(1, 2, out);                // block align
  PutLittleEndian(8, 2, out);                // bits per sample
  PutLittleEndian(0, 2, out);                // size of what follows
  return out;
}

}  // namespace

std::shared_ptr<const AudioFormat> AacFormat() {
  static const auto kFormat = std::make_shared<const AudioFormat>(AudioFormat{
      AudioCodec::kAac, AacCodecPrivate(), kAacSampleRate, kAacChannels, kAacFrameNs, SilentAac()});
  return kFormat;
}

std::shared_ptr<const AudioFormat> G711Format(AudioCodec codec) {
  // WAVE_FORMAT_ALAW and WAVE_FORMAT_MULAW (RFC 2361); the codes of zero amplitude (G.711).
  const bool alaw = codec == AudioCodec::kAlaw;
  const Bytes silence(kG711SampleRate * kG711FrameMs / 1'000, alaw ? 0xD5 : 0xFF);
  return std::make_shared<const AudioFormat>(
      AudioFormat{codec, G711CodecPrivate(alaw ? 6 : 7), kG711SampleRate, 1,
                  kG711FrameMs * std::int64_t{1'000'000}, silence});
}

BufferPtr SilentFrame(const AudioFormat& format) {
  return BufferPtr::Adopt(gst_buffer_new_memdup(format.silence.data(), format.silence.size()));
}

std::string CodecName(const AudioFormat& format) {
  switch (format.codec) {
    case AudioCodec::kAlaw:
      return "alaw";
    case AudioCodec::kMulaw:
      return "ulaw";
    case AudioCodec::kAac:
      break;
  }
  return "mp4a.40.2";
}

}  // namespace kvsbridge
