// Keyframes and parameter sets, read from NAL units.
#include "media/recorder/nal_units.h"

#include <gtest/gtest.h>

namespace kvsbridge {
namespace {

const VideoFormat kAvc{VideoCodec::kH264,
                       {1, 0x42, 0xC0, 0x1F, 0xFF, 0xE1, 0, 2, 0x67, 0x42, 1, 0, 1, 0x68},
                       320,
                       180};

VideoFormat Hevc() {
  Bytes hvcc(22, 0);
  hvcc[0] = 1;
  hvcc[21] = 0xFF;  // lengths of four bytes
  const Bytes arrays = {2, 0x20, 0, 1, 0, 2, 0x40, 1, 0x21, 0, 1, 0, 3, 0x42, 1, 9};
  hvcc.insert(hvcc.end(), arrays.begin(), arrays.end());
  return {VideoCodec::kH265, hvcc, 320, 180};
}

PictureTraits Inspect(const VideoFormat& format, const Bytes& unit) {
  return InspectPicture(format, unit.data(), unit.size());
}

TEST(NalUnitsTest, OnlyAnIdrPictureIsAKeyframe) {
  EXPECT_TRUE(Inspect(kAvc, {0, 0, 0, 2, 0x65, 1}).keyframe);
  EXPECT_FALSE(Inspect(kAvc, {0, 0, 0, 2, 0x41, 1}).keyframe);
  // A recovery point before an intra-coded picture that is no IDR.
  EXPECT_FALSE(Inspect(kAvc, {0, 0, 0, 2, 0x06, 6, 0, 0, 0, 2, 0x61, 1}).keyframe);
  // Delimiter, message, two slices.
  EXPECT_TRUE(
      Inspect(kAvc, {0, 0, 0, 2, 9, 0x10, 0, 0, 0, 1, 6, 0, 0, 0, 1, 0x65, 0, 0, 0, 1, 0x65})
          .keyframe);
}

TEST(NalUnitsTest, AnyIrapPictureOfH265IsAKeyframeAndSomeAreLeading) {
  for (unsigned type = 0; type < 32; ++type) {
    const auto traits = Inspect(Hevc(), {0, 0, 0, 2, static_cast<std::uint8_t>(type << 1U), 1});
    EXPECT_EQ(traits.keyframe, type >= 16 && type <= 21) << type;
    EXPECT_EQ(traits.leading, type >= 6 && type <= 9) << type;
  }
}

TEST(NalUnitsTest, ReadsNothingPastTheEnd) {
  EXPECT_FALSE(Inspect(kAvc, {}).keyframe);
  EXPECT_FALSE(Inspect(kAvc, {0, 0, 0}).keyframe);
  EXPECT_FALSE(Inspect(kAvc, {0, 0, 0, 9, 0x65}).keyframe);
  EXPECT_FALSE(Inspect(kAvc, {0xFF, 0xFF, 0xFF, 0xFF, 0x65}).keyframe);
  EXPECT_TRUE(Inspect(kAvc, {0, 0, 0, 0, 0, 0, 0, 1, 0x65, 7}).keyframe);
}

TEST(NalUnitsTest, TakesTheParameterSetsOutOfTheRecords) {
  EXPECT_EQ(ParameterSets(kAvc), (Bytes{0, 0, 0, 2, 0x67, 0x42, 0, 0, 0, 1, 0x68}));
  EXPECT_EQ(ParameterSets(Hevc()), (Bytes{0, 0, 0, 2, 0x40, 1, 0, 0, 0, 3, 0x42, 1, 9}));
}

TEST(NalUnitsTest, ARecordCutOffAnywhereHasNone) {
  for (const auto& whole : {kAvc, Hevc()}) {
    for (std::size_t size = 0; size < whole.codec_private.size(); ++size) {
      VideoFormat format = whole;
      format.codec_private.resize(size);
      EXPECT_TRUE(ParameterSets(format).empty()) << size;
    }
  }
}

}  // namespace
}  // namespace kvsbridge
