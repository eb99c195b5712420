#include "media/sinks/mkv_writer.h"

#include <array>
#include <cstring>
#include <random>

namespace kvsbridge {
namespace {

// Element ids of the Matroska specification (RFC 9559).
namespace id {
constexpr std::uint32_t kEbml = 0x1A45DFA3;
constexpr std::uint32_t kEbmlVersion = 0x4286;
constexpr std::uint32_t kEbmlReadVersion = 0x42F7;
constexpr std::uint32_t kEbmlMaxIdLength = 0x42F2;
constexpr std::uint32_t kEbmlMaxSizeLength = 0x42F3;
constexpr std::uint32_t kDocType = 0x4282;
constexpr std::uint32_t kDocTypeVersion = 0x4287;
constexpr std::uint32_t kDocTypeReadVersion = 0x4285;
constexpr std::uint32_t kSegment = 0x18538067;
constexpr std::uint32_t kInfo = 0x1549A966;
constexpr std::uint32_t kSegmentUuid = 0x73A4;
constexpr std::uint32_t kTimestampScale = 0x2AD7B1;
constexpr std::uint32_t kTitle = 0x7BA9;
constexpr std::uint32_t kMuxingApp = 0x4D80;
constexpr std::uint32_t kWritingApp = 0x5741;
constexpr std::uint32_t kTracks = 0x1654AE6B;
constexpr std::uint32_t kTrackEntry = 0xAE;
constexpr std::uint32_t kTrackNumber = 0xD7;
constexpr std::uint32_t kTrackUid = 0x73C5;
constexpr std::uint32_t kTrackType = 0x83;
constexpr std::uint32_t kFlagLacing = 0x9C;
constexpr std::uint32_t kName = 0x536E;
constexpr std::uint32_t kCodecId = 0x86;
constexpr std::uint32_t kCodecPrivate = 0x63A2;
constexpr std::uint32_t kVideo = 0xE0;
constexpr std::uint32_t kPixelWidth = 0xB0;
constexpr std::uint32_t kPixelHeight = 0xBA;
constexpr std::uint32_t kAudio = 0xE1;
constexpr std::uint32_t kSamplingFrequency = 0xB5;
constexpr std::uint32_t kChannels = 0x9F;
constexpr std::uint32_t kBitDepth = 0x6264;
constexpr std::uint32_t kCluster = 0x1F43B675;
constexpr std::uint32_t kTimestamp = 0xE7;
constexpr std::uint32_t kPosition = 0xA7;
constexpr std::uint32_t kSimpleBlock = 0xA3;
constexpr std::uint32_t kTags = 0x1254C367;
constexpr std::uint32_t kTag = 0x7373;
constexpr std::uint32_t kSimpleTag = 0x67C8;
constexpr std::uint32_t kTagName = 0x45A3;
constexpr std::uint32_t kTagString = 0x4487;
}  // namespace id

constexpr std::uint8_t kUnknownSize = 0xFF;
constexpr std::uint8_t kKeyframeFlag = 0x80;
constexpr std::uint64_t kNsPerTimecode = 1'000'000;
constexpr std::string_view kApp = "kvs-bridge";

void PutBigEndian(std::uint64_t value, unsigned bytes, Bytes& out) {
  for (unsigned i = bytes; i > 0; --i) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
  }
}

void PutId(std::uint32_t element, Bytes& out) {
  unsigned bytes = 1;
  while (bytes < 4 && (element >> (8 * bytes)) != 0) ++bytes;
  PutBigEndian(element, bytes, out);
}

/// Sizes are written in 8 bytes throughout, as the producer SDK does.
void PutSize(std::uint64_t size, Bytes& out) { PutBigEndian(0x0100000000000000ULL | size, 8, out); }

void PutUnsigned(std::uint32_t element, std::uint64_t value, Bytes& out) {
  PutId(element, out);
  PutSize(8, out);
  PutBigEndian(value, 8, out);
}

void PutBytes(std::uint32_t element, const std::uint8_t* data, std::size_t size, Bytes& out) {
  PutId(element, out);
  PutSize(size, out);
  out.insert(out.end(), data, data + size);
}

void PutBytes(std::uint32_t element, const Bytes& data, Bytes& out) {
  PutBytes(element, data.data(), data.size(), out);
}

void PutString(std::uint32_t element, std::string_view text, Bytes& out) {
  PutBytes(element, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), out);
}

void PutDouble(std::uint32_t element, double value, Bytes& out) {
  std::uint64_t bits = 0;
  static_assert(sizeof(bits) == sizeof(value));
  std::memcpy(&bits, &value, sizeof(bits));
  PutUnsigned(element, bits, out);
}

/// Identifies the epoch's Segment; random as the specification asks.
Bytes RandomUuid() {
  std::random_device source;
  Bytes uuid;
  while (uuid.size() < 16) PutBigEndian(source(), 4, uuid);
  return uuid;
}

Bytes EbmlHeader() {
  Bytes body;
  PutUnsigned(id::kEbmlVersion, 1, body);
  PutUnsigned(id::kEbmlReadVersion, 1, body);
  PutUnsigned(id::kEbmlMaxIdLength, 4, body);
  PutUnsigned(id::kEbmlMaxSizeLength, 8, body);
  PutString(id::kDocType, "matroska", body);
  PutUnsigned(id::kDocTypeVersion, 2, body);
  PutUnsigned(id::kDocTypeReadVersion, 2, body);
  return body;
}

Bytes Info() {
  Bytes body;
  PutBytes(id::kSegmentUuid, RandomUuid(), body);
  PutUnsigned(id::kTimestampScale, kNsPerTimecode, body);
  PutString(id::kTitle, kApp, body);
  PutString(id::kMuxingApp, kApp, body);
  PutString(id::kWritingApp, kApp, body);
  return body;
}

void PutTrackStart(unsigned number, unsigned type, std::string_view name, std::string_view codec,
                   const Bytes& codec_private, Bytes& out) {
  PutUnsigned(id::kTrackNumber, number, out);
  PutUnsigned(id::kTrackUid, number, out);
  PutUnsigned(id::kTrackType, type, out);
  PutUnsigned(id::kFlagLacing, 0, out);
  PutString(id::kName, name, out);
  PutString(id::kCodecId, codec, out);
  PutBytes(id::kCodecPrivate, codec_private, out);
}

Bytes VideoTrack(const VideoFormat& format) {
  Bytes video;
  PutUnsigned(id::kPixelWidth, format.width, video);
  PutUnsigned(id::kPixelHeight, format.height, video);
  Bytes body;
  PutTrackStart(MkvWriter::kVideoTrack, 1, "video",
                format.codec == VideoCodec::kH265 ? "V_MPEGH/ISO/HEVC" : "V_MPEG4/ISO/AVC",
                format.codec_private, body);
  PutBytes(id::kVideo, video, body);
  return body;
}

Bytes AudioTrack(const AudioFormat& format, unsigned number) {
  Bytes audio;
  PutDouble(id::kSamplingFrequency, format.sample_rate, audio);
  PutUnsigned(id::kChannels, format.channels, audio);
  if (format.codec != AudioCodec::kAac) PutUnsigned(id::kBitDepth, 8, audio);
  Bytes body;
  PutTrackStart(number, 2, "audio", format.codec == AudioCodec::kAac ? "A_AAC" : "A_MS/ACM",
                format.codec_private, body);
  PutBytes(id::kAudio, audio, body);
  return body;
}

}  // namespace

Bytes MkvWriter::Header(const Epoch& epoch) {
  Bytes out;
  PutBytes(id::kEbml, EbmlHeader(), out);
  PutId(id::kSegment, out);
  out.push_back(kUnknownSize);
  PutBytes(id::kInfo, Info(), out);
  Bytes tracks;
  if (epoch.video != nullptr) PutBytes(id::kTrackEntry, VideoTrack(*epoch.video), tracks);
  if (epoch.audio != nullptr) {
    PutBytes(id::kTrackEntry, AudioTrack(*epoch.audio, AudioTrackNumber(epoch)), tracks);
  }
  PutBytes(id::kTracks, tracks, out);
  return out;
}

void MkvWriter::BeginCluster(std::int64_t timecode_ms, Bytes& out) {
  cluster_timecode_ms_ = timecode_ms;
  PutId(id::kCluster, out);
  out.push_back(kUnknownSize);
  PutUnsigned(id::kTimestamp, static_cast<std::uint64_t>(timecode_ms), out);
  PutUnsigned(id::kPosition, 0, out);
}

void MkvWriter::SimpleBlock(unsigned track, std::int64_t timecode_ms, bool keyframe,
                            const std::uint8_t* data, std::size_t size, Bytes& out) const {
  constexpr std::size_t kBlockHeaderBytes = 4;
  const auto relative = static_cast<std::int16_t>(timecode_ms - cluster_timecode_ms_);
  PutId(id::kSimpleBlock, out);
  PutSize(kBlockHeaderBytes + size, out);
  out.push_back(static_cast<std::uint8_t>(0x80 | track));
  PutBigEndian(static_cast<std::uint16_t>(relative), 2, out);
  out.push_back(keyframe ? kKeyframeFlag : 0);
  out.insert(out.end(), data, data + size);
}

void MkvWriter::Tags(const std::vector<FragmentTag>& tags, Bytes& out) {
  if (tags.empty()) return;
  Bytes body;
  for (const auto& [name, value] : tags) {
    Bytes simple_tag;
    PutString(id::kTagName, name, simple_tag);
    PutString(id::kTagString, value, simple_tag);
    Bytes tag;
    PutBytes(id::kSimpleTag, simple_tag, tag);
    PutBytes(id::kTag, tag, body);
  }
  PutBytes(id::kTags, body, out);
}

Bytes MkvWriter::EndOfFragment() {
  Bytes out;
  Tags({{"AWS_KINESISVIDEO_END_OF_FRAGMENT", ""}}, out);
  return out;
}

}  // namespace kvsbridge
