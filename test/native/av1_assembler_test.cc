// AV1 temporal units out of RTP payloads, and what becomes of payloads that lie.
#include "media/tracks/av1_assembler.h"

#include <gtest/gtest.h>

#include <random>

namespace kvsbridge {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kZ = 0x80;
constexpr std::uint8_t kY = 0x40;
constexpr std::uint8_t kN = 0x08;
constexpr std::uint8_t kW1 = 0x10;
constexpr std::uint8_t kW2 = 0x20;

// OBU headers without a size: sequence header, frame, temporal delimiter, tile list.
constexpr std::uint8_t kSequence = 1 << 3;
constexpr std::uint8_t kFrame = 6 << 3;
constexpr std::uint8_t kDelimiter = 2 << 3;
constexpr std::uint8_t kTileList = 8 << 3;
constexpr std::uint8_t kHasSize = 0x02;
constexpr std::uint8_t kExtension = 0x04;

struct Result {
  bool out = false;
  Bytes data;
  bool keyframe = false;
};

class Av1AssemblerTest : public ::testing::Test {
 protected:
  Result Push(const Bytes& payload, bool marker = true, std::uint32_t timestamp = 1) {
    const auto unit = assembler_.Push(payload.data(), payload.size(), timestamp, marker);
    return unit ? Result{true, unit->data, unit->keyframe} : Result{};
  }

  Av1Assembler assembler_;
};

TEST_F(Av1AssemblerTest, PutsSizesAndTheDelimiterBack) {
  const Result unit = Push({kN | kW2, 3, kSequence, 0xaa, 0xbb, kFrame, 0xcc});
  EXPECT_TRUE(unit.keyframe);
  EXPECT_EQ(unit.data,
            (Bytes{0x12, 0, kSequence | kHasSize, 2, 0xaa, 0xbb, kFrame | kHasSize, 1, 0xcc}));
}

TEST_F(Av1AssemblerTest, WithoutACountEachElementHasALength) {
  const Result unit = Push({0, 2, kFrame, 1, 2, kFrame, 2});
  EXPECT_FALSE(unit.keyframe);
  EXPECT_EQ(unit.data, (Bytes{0x12, 0, kFrame | kHasSize, 1, 1, kFrame | kHasSize, 1, 2}));
}

TEST_F(Av1AssemblerTest, JoinsAnObuOverThreePackets) {
  EXPECT_FALSE(Push({kW1 | kY, kFrame, 1}, false).out);
  EXPECT_FALSE(Push({kW1 | kZ | kY, 2}, false).out);
  EXPECT_EQ(Push({kW1 | kZ, 3}).data, (Bytes{0x12, 0, kFrame | kHasSize, 3, 1, 2, 3}));
}

TEST_F(Av1AssemblerTest, KeepsTheExtensionAndReplacesASize) {
  const Result unit = Push({kW1, kFrame | kExtension | kHasSize, 0x20, 1, 7, 99, 99});
  EXPECT_EQ(unit.data, (Bytes{0x12, 0, kFrame | kExtension | kHasSize, 0x20, 1, 7}));
}

TEST_F(Av1AssemblerTest, LeavesDelimitersAndTileListsOut) {
  const Result unit = Push({0, 1, kDelimiter, 2, kTileList, 5, 2, kFrame, 1});
  EXPECT_EQ(unit.data, (Bytes{0x12, 0, kFrame | kHasSize, 1, 1}));
}

TEST_F(Av1AssemblerTest, WritesSizesAboveOneByte) {
  Bytes payload(302, 5);
  payload[0] = kW1;
  payload[1] = kFrame;
  const Result unit = Push(payload);
  ASSERT_EQ(unit.data.size(), 2 + 1 + 2 + 300U);
  EXPECT_EQ(unit.data[3], (300 & 0x7f) | 0x80);
  EXPECT_EQ(unit.data[4], 300 >> 7);
}

TEST_F(Av1AssemblerTest, AKeyframeNeedsBothTheMarkAndTheSequenceHeader) {
  EXPECT_FALSE(Push({kN | kW1, kFrame, 1}).keyframe);
  EXPECT_FALSE(Push({kW1, kSequence, 1}).keyframe);
}

TEST_F(Av1AssemblerTest, ALossSpoilsOnlyItsOwnUnit) {
  EXPECT_FALSE(Push({kW1 | kY, kFrame, 1}, false).out);
  assembler_.OnLoss();
  EXPECT_FALSE(Push({kW1 | kZ, 3}).out);
  EXPECT_FALSE(assembler_.needs_keyframe());
  EXPECT_TRUE(Push({kW1, kFrame, 1}, true, 2).out);
}

TEST_F(Av1AssemblerTest, AfterALossANewSequenceIsWhole) {
  EXPECT_FALSE(Push({kW1 | kY, kFrame, 1}, false).out);
  assembler_.OnLoss();
  EXPECT_TRUE(Push({kN | kW1, kSequence, 3}, true, 2).keyframe);
}

TEST_F(Av1AssemblerTest, AUnitWithoutItsMarkerIsNotGivenOut) {
  EXPECT_FALSE(Push({kW1, kFrame, 1}, false, 1).out);
  EXPECT_EQ(Push({kW1, kFrame, 2}, true, 2).data, (Bytes{0x12, 0, kFrame | kHasSize, 1, 2}));
}

TEST_F(Av1AssemblerTest, AfterAMalformedPacketOnlyAKeyframeHelps) {
  const Bytes malformed[] = {
      {},
      {kW1},
      {0, 9, kFrame, 1},               // longer than the packet
      {0, 0, 1, kFrame},               // an empty element
      {0, 0x80, 0x80, 0x80},           // a length that does not end
      {kW2, 1, kFrame},                // fewer elements than counted
      {kW1 | kZ, 1},                   // continues nothing
      {kW1 | kY, kFrame},              // to be continued, yet the unit ends
      {kW1, kFrame | 0x80, 1},         // forbidden bit
      {kW1, kFrame | kExtension},      // extension cut off
      {kW1, kFrame | kHasSize, 5, 1},  // size above what is there
  };
  for (const auto& payload : malformed) {
    Av1Assembler assembler;
    EXPECT_FALSE(assembler.Push(payload.data(), payload.size(), 1, true));
    EXPECT_TRUE(assembler.needs_keyframe()) << ::testing::PrintToString(payload);
    const Bytes frame = {kW1, kFrame, 1};
    EXPECT_FALSE(assembler.Push(frame.data(), frame.size(), 2, true));
    const Bytes keyframe = {kN | kW2, 2, kSequence, 1, kFrame, 1};
    EXPECT_TRUE(assembler.Push(keyframe.data(), keyframe.size(), 3, true));
    EXPECT_TRUE(assembler.Push(frame.data(), frame.size(), 4, true));
  }
}

TEST_F(Av1AssemblerTest, BoundsAUnit) {
  const Bytes part(60'000, 0);
  Bytes first = part;
  first[0] = kW1 | kY;
  first[1] = kFrame;
  Bytes middle = part;
  middle[0] = kW1 | kY | kZ;
  EXPECT_FALSE(Push(first, false).out);
  for (std::size_t sent = 0; sent <= Av1Assembler::kMaxUnitBytes; sent += part.size()) {
    EXPECT_FALSE(Push(middle, false).out);
  }
  EXPECT_FALSE(Push({kW1 | kZ, 1}).out);
  EXPECT_TRUE(assembler_.needs_keyframe());
}

TEST_F(Av1AssemblerTest, SurvivesNoise) {
  std::mt19937 random(1);
  std::size_t units = 0;
  for (int i = 0; i < 100'000; ++i) {
    Bytes payload(random() % 24);
    for (auto& byte : payload)
      byte = static_cast<std::uint8_t>(random() % 4 == 0 ? random() : random() % 12);
    if (random() % 50 == 0) assembler_.OnLoss();
    const Result unit = Push(payload, random() % 2 == 0, static_cast<std::uint32_t>(i / 2));
    if (!unit.out) continue;
    ++units;
    EXPECT_EQ(unit.data.at(0), 0x12);
  }
  EXPECT_GT(units, 0U) << "the noise never made a unit: it tests too little";
}

}  // namespace
}  // namespace kvsbridge
