// What the offer lists, in which order, under which payload types.
#include "media/peer/offer_caps.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "media/gstreamer.h"

namespace kvsbridge {
namespace {

struct Format {
  std::string name;
  int payload_type = -1;
  std::string apt;
  std::string profile_level_id;
};

std::vector<Format> Read(const CapsPtr& caps) {
  std::vector<Format> formats;
  for (guint i = 0; i < gst_caps_get_size(caps.get()); ++i) {
    const GstStructure* structure = gst_caps_get_structure(caps.get(), i);
    Format format;
    format.name = ToString(gst_structure_get_string(structure, "encoding-name"));
    gst_structure_get_int(structure, "payload", &format.payload_type);
    format.apt = ToString(gst_structure_get_string(structure, "apt"));
    format.profile_level_id = ToString(gst_structure_get_string(structure, "profile-level-id"));
    formats.push_back(format);
  }
  return formats;
}

std::vector<std::string> Names(const std::vector<Format>& formats) {
  std::vector<std::string> names;
  for (const auto& format : formats) {
    if (format.name != "rtx") names.push_back(format.name);
  }
  return names;
}

class OfferCapsTest : public ::testing::Test {
 protected:
  void SetUp() override { InitializeGStreamer(); }
};

TEST_F(OfferCapsTest, ListsEveryCodecWithH264FirstInFourProfiles) {
  const auto formats = Read(VideoOfferCaps(AllSourceCodecs()));
  EXPECT_EQ(Names(formats), (std::vector<std::string>{"H264", "H264", "H264", "H264", "H265", "VP8",
                                                      "VP9", "AV1"}));
  const std::vector<std::string> profiles = {"42e01f", "42001f", "4d001f", "64001f"};
  for (std::size_t i = 0; i < profiles.size(); ++i) {
    EXPECT_EQ(formats[i].profile_level_id, profiles[i]);
  }
}

TEST_F(OfferCapsTest, EachFormatHasOneRtxAndNoPayloadTypeIsUsedTwice) {
  auto formats = Read(VideoOfferCaps(AllSourceCodecs()));
  for (const auto& format : Read(AudioOfferCaps())) formats.push_back(format);
  std::set<int> used;
  std::map<std::string, int> repairs;
  for (const auto& format : formats) {
    EXPECT_TRUE(used.insert(format.payload_type).second) << format.payload_type;
    if (format.name == "rtx") ++repairs[format.apt];
  }
  for (const auto& format : formats) {
    const bool is_audio = format.name == "OPUS" || format.name == "PCMU" || format.name == "PCMA";
    if (format.name == "rtx" || is_audio) continue;
    EXPECT_EQ(repairs[std::to_string(format.payload_type)], 1) << format.name;
    EXPECT_GE(format.payload_type, 96);
    EXPECT_LE(format.payload_type, 127);
  }
}

TEST_F(OfferCapsTest, KeepsTheOrderAskedForAndForbidsTheRest) {
  const auto formats = Read(VideoOfferCaps({SourceCodec::kVp9, SourceCodec::kVp8}));
  EXPECT_EQ(Names(formats), (std::vector<std::string>{"VP9", "VP8"}));
  EXPECT_EQ(formats.size(), 4U);
}

TEST_F(OfferCapsTest, AudioHasItsUsualPayloadTypes) {
  const auto formats = Read(AudioOfferCaps());
  ASSERT_EQ(Names(formats), (std::vector<std::string>{"OPUS", "PCMU", "PCMA"}));
  EXPECT_EQ(formats[0].payload_type, 111);
  EXPECT_EQ(formats[1].payload_type, 0);
  EXPECT_EQ(formats[2].payload_type, 8);
}

TEST_F(OfferCapsTest, LeavesOutWhatCannotBeDecodedAndSaysWhatIsMissing) {
  // Without its feature the registry has no such element, as on a machine that lacks the package.
  GstRegistry* registry = gst_registry_get();
  const auto feature = ObjectPtr<GstPluginFeature>::Adopt(
      gst_registry_find_feature(registry, "vp9dec", GST_TYPE_ELEMENT_FACTORY));
  ASSERT_TRUE(feature);
  gst_registry_remove_feature(registry, feature.get());
  std::vector<std::string> warnings;
  const auto usable = UsableSourceCodecs(
      {SourceCodec::kVp9, SourceCodec::kH264},
      [&warnings](const MediaError& error) { warnings.emplace_back(error.what()); });
  EXPECT_EQ(usable, std::vector<SourceCodec>{SourceCodec::kH264});
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("VP9"), std::string::npos);
  EXPECT_NE(warnings[0].find("gstreamer1.0-plugins-good"), std::string::npos);
  try {
    UsableSourceCodecs({SourceCodec::kVp9}, [](const MediaError&) {});
    ADD_FAILURE() << "nothing is left, and nobody said so";
  } catch (const MediaError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kMissingPlugin);
  }
  gst_registry_add_feature(registry, feature.get());
}

}  // namespace
}  // namespace kvsbridge
