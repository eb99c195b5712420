// Tags of fragments, within the service's limits.
#include "media/recorder/fragment_tags.h"

#include <gtest/gtest.h>

#include "media/media_error.h"

namespace kvsbridge {
namespace {

std::string Text(const std::vector<FragmentTag>& tags) {
  std::string text;
  for (const auto& [name, value] : tags) text.append(name).append("=").append(value).append(" ");
  return text;
}

TEST(FragmentTagsTest, PersistentOnesRepeatAndSingleOnesDoNot) {
  FragmentTags tags;
  tags.Put("place", "door", true);
  tags.Put("event", "bell", false);
  EXPECT_EQ(Text(tags.Take()), "place=door event=bell ");
  EXPECT_EQ(Text(tags.Take()), "place=door ");
  tags.Put("place", "gate", false);
  EXPECT_EQ(Text(tags.Take()), "place=gate ");
  tags.Put("place", "yard", true);
  EXPECT_EQ(Text(tags.Take()), "place=yard ");
  tags.Put("place", "", true);
  EXPECT_EQ(Text(tags.Take()), "");
}

TEST(FragmentTagsTest, RefusesWhatTheServiceWould) {
  FragmentTags tags;
  EXPECT_THROW(tags.Put("", "x", false), MediaError);
  EXPECT_THROW(tags.Put(std::string(129, 'n'), "x", false), MediaError);
  EXPECT_THROW(tags.Put("AWSthing", "x", false), MediaError);
  EXPECT_THROW(tags.Put("aws-thing", "x", false), MediaError);
  EXPECT_THROW(tags.Put("name", "", false), MediaError);
  EXPECT_THROW(tags.Put("name", std::string(257, 'v'), true), MediaError);
  tags.Put(std::string(128, 'n'), std::string(256, 'v'), true);
  EXPECT_EQ(tags.Take().size(), 1U);
}

TEST(FragmentTagsTest, OwnTagsYieldToTheUsersTheLastOneFirst) {
  FragmentTags tags;
  for (int i = 0; i < 9; ++i) tags.Put("user" + std::to_string(i), "x", i % 2 == 0);
  tags.PutOwn("kvsb-gap-ms", "300");
  tags.PutOwn("kvsb-epoch", "1");
  const auto taken = tags.Take();
  ASSERT_EQ(taken.size(), FragmentTags::kMaxTags);
  EXPECT_EQ(taken.back().name, "kvsb-gap-ms");
}

TEST(FragmentTagsTest, TheEleventhIsRefusedAndTheOthersStay) {
  FragmentTags tags;
  for (int i = 0; i < 10; ++i) tags.Put("user" + std::to_string(i), "x", true);
  EXPECT_THROW(tags.Put("one-too-many", "x", false), MediaError);
  tags.Put("user3", "y", false);  // replaces
  EXPECT_EQ(tags.Take().size(), FragmentTags::kMaxTags);
}

}  // namespace
}  // namespace kvsbridge
