// Every element of the Matroska stream, read back. Ids are those of RFC 9559.
#include "media/sinks/mkv_writer.h"

#include <gtest/gtest.h>

#include "mkv_parser.h"

namespace kvsbridge {
namespace {

using testing::MkvBlock;
using testing::MkvElement;
using testing::ParseMkv;
using testing::ParseSimpleBlock;

constexpr std::uint64_t kNowMs = 1'700'000'000'123;

const Bytes kAvcc = {1, 0x42, 0xC0, 0x1F, 0xFF, 0xE1, 0, 2, 0x67, 0x42, 1, 0, 1, 0x68};

Epoch MakeEpoch(bool has_audio) {
  return {0, static_cast<std::int64_t>(kNowMs),
          std::make_shared<const VideoFormat>(VideoFormat{VideoCodec::kH264, kAvcc, 1280, 720}),
          has_audio ? AacFormat() : nullptr};
}

TEST(MkvWriterTest, HeaderBeginsWithEbmlAndAnEndlessSegment) {
  const auto elements = ParseMkv(MkvWriter::Header(MakeEpoch(true)));
  ASSERT_EQ(elements.size(), 4U);
  const MkvElement& ebml = elements[0];
  EXPECT_EQ(ebml.id, 0x1A45DFA3U);
  EXPECT_EQ(ebml.Child(0x4286).AsUnsigned(), 1U);        // EBMLVersion
  EXPECT_EQ(ebml.Child(0x42F7).AsUnsigned(), 1U);        // EBMLReadVersion
  EXPECT_EQ(ebml.Child(0x42F2).AsUnsigned(), 4U);        // EBMLMaxIDLength
  EXPECT_EQ(ebml.Child(0x42F3).AsUnsigned(), 8U);        // EBMLMaxSizeLength
  EXPECT_EQ(ebml.Child(0x4282).AsString(), "matroska");  // DocType
  EXPECT_EQ(ebml.Child(0x4287).AsUnsigned(), 2U);        // DocTypeVersion
  EXPECT_EQ(ebml.Child(0x4285).AsUnsigned(), 2U);        // DocTypeReadVersion
  EXPECT_EQ(elements[1].id, 0x18538067U);
  EXPECT_TRUE(elements[1].unknown_size);
}

TEST(MkvWriterTest, InfoCountsInMillisecondsAndHasItsOwnUuid) {
  const auto first = ParseMkv(MkvWriter::Header(MakeEpoch(true)));
  const auto second = ParseMkv(MkvWriter::Header(MakeEpoch(true)));
  const MkvElement& info = first[2];
  EXPECT_EQ(info.id, 0x1549A966U);
  EXPECT_EQ(info.Child(0x2AD7B1).AsUnsigned(), 1'000'000U);  // TimestampScale
  EXPECT_EQ(info.Child(0x7BA9).AsString(), "kvs-bridge");    // Title
  EXPECT_EQ(info.Child(0x4D80).AsString(), "kvs-bridge");    // MuxingApp
  EXPECT_EQ(info.Child(0x5741).AsString(), "kvs-bridge");    // WritingApp
  EXPECT_EQ(info.Child(0x73A4).data.size(), 16U);            // SegmentUUID
  EXPECT_NE(info.Child(0x73A4).data, second[2].Child(0x73A4).data);
}

TEST(MkvWriterTest, DeclaresVideoAndAudio) {
  const auto elements = ParseMkv(MkvWriter::Header(MakeEpoch(true)));
  EXPECT_EQ(elements[3].id, 0x1654AE6BU);
  const auto tracks = elements[3].Children();
  ASSERT_EQ(tracks.size(), 2U);

  const MkvElement& video = tracks[0];
  EXPECT_EQ(video.id, 0xAEU);
  EXPECT_EQ(video.Child(0xD7).AsUnsigned(), MkvWriter::kVideoTrack);
  EXPECT_EQ(video.Child(0x73C5).AsUnsigned(), MkvWriter::kVideoTrack);  // TrackUID
  EXPECT_EQ(video.Child(0x83).AsUnsigned(), 1U);                        // TrackType
  EXPECT_EQ(video.Child(0x9C).AsUnsigned(), 0U);                        // FlagLacing
  EXPECT_EQ(video.Child(0x86).AsString(), "V_MPEG4/ISO/AVC");
  EXPECT_EQ(video.Child(0x63A2).data, kAvcc);
  EXPECT_EQ(video.Child(0xE0).Child(0xB0).AsUnsigned(), 1280U);
  EXPECT_EQ(video.Child(0xE0).Child(0xBA).AsUnsigned(), 720U);

  const MkvElement& audio = tracks[1];
  EXPECT_EQ(audio.Child(0xD7).AsUnsigned(), 2U);
  EXPECT_EQ(audio.Child(0x83).AsUnsigned(), 2U);
  EXPECT_EQ(audio.Child(0x86).AsString(), "A_AAC");
  EXPECT_EQ(audio.Child(0x63A2).data, (Bytes{0x11, 0x90}));
  EXPECT_DOUBLE_EQ(audio.Child(0xE1).Child(0xB5).AsDouble(), 48'000);
  EXPECT_EQ(audio.Child(0xE1).Child(0x9F).AsUnsigned(), 2U);
}

TEST(MkvWriterTest, DeclaresNoAudioWhereNoneIs) {
  const auto elements = ParseMkv(MkvWriter::Header(MakeEpoch(false)));
  EXPECT_EQ(elements[3].Children().size(), 1U);
}

TEST(MkvWriterTest, BlocksAreRelativeToTheirCluster) {
  MkvWriter writer;
  Bytes out;
  const Bytes payload = {1, 2, 3, 4, 5};
  const auto start = static_cast<std::int64_t>(kNowMs);
  writer.BeginCluster(start, out);
  writer.SimpleBlock(1, start, true, payload.data(), payload.size(), out);
  writer.SimpleBlock(2, start + 21, true, payload.data(), 0, out);
  writer.SimpleBlock(1, start + 32'767, false, payload.data(), payload.size(), out);
  writer.BeginCluster(start + 40'000, out);
  writer.SimpleBlock(1, start + 40'001, true, payload.data(), payload.size(), out);

  const auto elements = ParseMkv(out);
  ASSERT_EQ(elements.size(), 10U);
  EXPECT_EQ(elements[0].id, 0x1F43B675U);
  EXPECT_TRUE(elements[0].unknown_size);
  EXPECT_EQ(elements[1].id, 0xE7U);
  EXPECT_EQ(elements[1].AsUnsigned(), kNowMs);
  EXPECT_EQ(elements[2].id, 0xA7U);
  EXPECT_EQ(elements[2].AsUnsigned(), 0U);

  const MkvBlock first = ParseSimpleBlock(elements[3]);
  EXPECT_EQ(first.track, 1U);
  EXPECT_EQ(first.relative_ms, 0);
  EXPECT_TRUE(first.keyframe);
  EXPECT_EQ(first.data, payload);
  const MkvBlock second = ParseSimpleBlock(elements[4]);
  EXPECT_EQ(second.track, 2U);
  EXPECT_EQ(second.relative_ms, 21);
  EXPECT_TRUE(second.data.empty());
  const MkvBlock third = ParseSimpleBlock(elements[5]);
  EXPECT_EQ(third.relative_ms, 32'767);
  EXPECT_FALSE(third.keyframe);

  EXPECT_EQ(elements[7].AsUnsigned(), kNowMs + 40'000);
  EXPECT_EQ(ParseSimpleBlock(elements[9]).relative_ms, 1);
}

TEST(MkvWriterTest, WritesBlocksOfAnySize) {
  for (const std::size_t size : {1UL, 126UL, 127UL, 16'383UL, 70'000UL, 3'000'000UL}) {
    MkvWriter writer;
    Bytes out;
    const Bytes payload(size, 0xAB);
    writer.SimpleBlock(1, 0, false, payload.data(), payload.size(), out);
    const auto elements = ParseMkv(out);
    ASSERT_EQ(elements.size(), 1U);
    EXPECT_EQ(ParseSimpleBlock(elements[0]).data, payload);
  }
}

TEST(MkvWriterTest, TellsTheEndOfTheLastFragment) {
  const auto elements = ParseMkv(MkvWriter::EndOfFragment());
  ASSERT_EQ(elements.size(), 1U);
  EXPECT_EQ(elements[0].id, 0x1254C367U);
  const MkvElement tag = elements[0].Child(0x7373).Child(0x67C8);
  EXPECT_EQ(tag.Child(0x45A3).AsString(), "AWS_KINESISVIDEO_END_OF_FRAGMENT");
  EXPECT_EQ(tag.Child(0x4487).AsString(), "");
}

}  // namespace
}  // namespace kvsbridge
