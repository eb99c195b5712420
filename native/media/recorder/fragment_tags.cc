#include "media/recorder/fragment_tags.h"

#include <glib.h>

#include <algorithm>
#include <utility>

#include "media/media_error.h"

namespace kvsbridge {
namespace {

void Erase(std::vector<FragmentTag>& tags, const std::string& name) {
  tags.erase(std::remove_if(tags.begin(), tags.end(),
                            [&name](const FragmentTag& tag) { return tag.name == name; }),
             tags.end());
}

void Set(std::vector<FragmentTag>& tags, const std::string& name, const std::string& value) {
  const auto same = std::find_if(tags.begin(), tags.end(),
                                 [&name](const FragmentTag& tag) { return tag.name == name; });
  if (same != tags.end()) {
    same->value = value;
  } else {
    tags.push_back({name, value});
  }
}

[[noreturn]] void Refuse(const std::string& message) {
  throw MediaError(ErrorKind::kOptions, message);
}

}  // namespace

void FragmentTags::Check(const std::string& name, const std::string& value) {
  if (name.empty() || name.size() > kMaxNameBytes) {
    Refuse("the name of a fragment tag must have 1 to 128 bytes");
  }
  if (g_ascii_strncasecmp(name.c_str(), "AWS", 3) == 0) {
    Refuse("the name of a fragment tag must not begin with AWS");
  }
  if (value.empty() || value.size() > kMaxValueBytes) {
    Refuse("the value of the fragment tag " + name + " must have 1 to 256 bytes");
  }
}

void FragmentTags::Put(const std::string& name, const std::string& value, bool persistent) {
  if (persistent && value.empty()) {
    Erase(persistent_, name);
    return;
  }
  Check(name, value);
  auto all = persistent_;
  for (const auto& tag : single_) Set(all, tag.name, tag.value);
  Set(all, name, value);
  if (all.size() > kMaxTags) {
    Refuse("a fragment has at most 10 tags; " + name + " would be one too many");
  }
  Set(persistent ? persistent_ : single_, name, value);
}

void FragmentTags::PutOwn(const std::string& name, const std::string& value) {
  Set(own_, name, value);
}

std::vector<FragmentTag> FragmentTags::Take() {
  std::vector<FragmentTag> tags = persistent_;
  for (const auto& tag : std::exchange(single_, {})) Set(tags, tag.name, tag.value);
  for (const auto& tag : std::exchange(own_, {})) {
    const bool named = std::any_of(
        tags.begin(), tags.end(), [&](const FragmentTag& other) { return other.name == tag.name; });
    if (!named && tags.size() < kMaxTags) tags.push_back(tag);
  }
  return tags;
}

}  // namespace kvsbridge
