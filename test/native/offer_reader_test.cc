// What a publisher takes from a viewer's offer.
#include "media/publisher/offer_reader.h"

#include <gst/gst.h>
#include <gtest/gtest.h>

#include "media/media_error.h"
#include "mutator.h"
#include "sdp_samples.h"

namespace kvsbridge {
namespace {

using testing::BrowserOffer;
using testing::Replace;

class OfferReaderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

TEST_F(OfferReaderTest, PrefersConstrainedBaselineInPacketizationModeOne) {
  const OfferedFormats formats = ReadOffer(BrowserOffer());
  EXPECT_EQ(formats.h264, 106U);
  EXPECT_EQ(formats.opus, 111U);
}

TEST_F(OfferReaderTest, ReadsProfilesInAnyCase) {
  EXPECT_EQ(ReadOffer(Replace(BrowserOffer(),
                              "a=fmtp:106 level-asymmetry-allowed=1;"
                              "packetization-mode=1;profile-level-id=42e01f",
                              "a=fmtp:106 packetization-mode=1;profile-level-id=42E01F"))
                .h264,
            106U);
}

TEST_F(OfferReaderTest, TakesAnotherProfileWhereThereIsNoBetter) {
  EXPECT_EQ(
      ReadOffer(Replace(BrowserOffer(), "a=rtpmap:106 H264/90000", "a=rtpmap:106 VP9/90000")).h264,
      104U);
}

TEST_F(OfferReaderTest, LeavesASectionThatTheViewerClosed) {
  const OfferedFormats formats =
      ReadOffer(Replace(BrowserOffer(), "m=video 9 UDP", "m=video 0 UDP"));
  EXPECT_FALSE(formats.h264);
  EXPECT_EQ(formats.opus, 111U);
}

TEST_F(OfferReaderTest, TakesASectionThatSharesAnothersPort) {
  EXPECT_EQ(ReadOffer(Replace(Replace(BrowserOffer(), "m=audio 9 UDP", "m=audio 0 UDP"), "a=mid:1",
                              "a=mid:1\r\na=bundle-only"))
                .opus,
            111U);
}

TEST_F(OfferReaderTest, DoesWithoutVideo) {
  std::string offer = BrowserOffer();
  for (int i = 0; i < 3; ++i) offer = Replace(offer, "H264", "H265");
  const OfferedFormats formats = ReadOffer(offer);
  EXPECT_FALSE(formats.h264);
  EXPECT_EQ(formats.opus, 111U);
}

TEST_F(OfferReaderTest, ReadsEveryFormat) {
  OfferedFormats formats = ReadOffer(BrowserOffer());
  EXPECT_EQ(formats.vp8, 96U);
  EXPECT_EQ(formats.pcmu, 0U);
  EXPECT_FALSE(formats.h264_main);
  EXPECT_FALSE(formats.pcma);
  std::string offer = Replace(BrowserOffer(), "VP8/90000", "VP9/90000");
  offer = Replace(offer, "H264/90000", "AV1/90000");
  offer = Replace(offer, "H264/90000", "H265/90000");
  offer = Replace(offer, "\r\na=rtpmap:0 PCMU/8000", "");
  formats = ReadOffer(offer);
  EXPECT_EQ(formats.vp9, 96U);
  EXPECT_EQ(formats.av1, 102U);
  EXPECT_EQ(formats.h265, 104U);
  EXPECT_EQ(formats.pcmu, 0U) << "its payload type is static";
  EXPECT_EQ(formats.Find(TestVideoCodec::kAv1, false), 102U);
  EXPECT_EQ(formats.Find(TestAudioCodec::kPcma), std::nullopt);
}

TEST_F(OfferReaderTest, FindsTheMainProfileForBFrames) {
  const OfferedFormats formats =
      ReadOffer(Replace(BrowserOffer(), "profile-level-id=64001f", "profile-level-id=4d001f"));
  EXPECT_EQ(formats.Find(TestVideoCodec::kH264, true), 104U);
  EXPECT_EQ(formats.Find(TestVideoCodec::kH264, false), 106U);
}

TEST_F(OfferReaderTest, RefusesAnOfferOfNone) {
  std::string offer = Replace(BrowserOffer(), "opus", "ISAC");
  offer = Replace(offer, "PCMU", "ISAC");
  offer = Replace(offer, "VP8", "FLV");
  for (int i = 0; i < 3; ++i) offer = Replace(offer, "H264", "H263");
  EXPECT_THROW(ReadOffer(offer), MediaError);
  EXPECT_THROW(ReadOffer(""), MediaError);
}

TEST_F(OfferReaderTest, NoDamagedOfferDoesHarm) {
  testing::Mutator mutator(20'240'103);
  unsigned read = 0;
  for (int i = 0; i < 1'500; ++i) {
    try {
      const OfferedFormats formats = ReadOffer(mutator.Damage(BrowserOffer()));
      EXPECT_TRUE(formats.h264 || formats.h265 || formats.vp8 || formats.vp9 || formats.av1 ||
                  formats.opus || formats.pcmu || formats.pcma);
      EXPECT_LE(formats.h264.value_or(0), 127U);
      ++read;
    } catch (const MediaError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadPeerInput);
    }
  }
  EXPECT_GT(read, 250U);
}

}  // namespace
}  // namespace kvsbridge
