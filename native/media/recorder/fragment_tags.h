// Metadata that the service keeps with fragments.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "media/sinks/sink.h"

namespace kvsbridge {

/// Collects the tags of coming fragments within the service's limits: at most ten per fragment,
/// names of 1 to 128 bytes that do not begin with "AWS", values of 1 to 256 bytes.
///
/// Tags of the user come first. The bridge's own tags get the places that are left, in the order
/// in which they were put.
class FragmentTags {
 public:
  static constexpr std::size_t kMaxTags = 10;
  static constexpr std::size_t kMaxNameBytes = 128;
  static constexpr std::size_t kMaxValueBytes = 256;

  /// @throws MediaError (kOptions) when the service would refuse the tag
  static void Check(const std::string& name, const std::string& value);

  /// A tag of the user: with every fragment from the next on (persistent), or with the next one.
  /// Replaces one of the same name. An empty value takes a persistent tag back.
  /// @throws MediaError (kOptions) when the service would refuse it, or it would be one too many
  void Put(const std::string& name, const std::string& value, bool persistent);

  /// A tag of the bridge, for the next fragment. Replaces one of the same name.
  void PutOwn(const std::string& name, const std::string& value);

  /// The next fragment's tags; from now on those of the one after it are collected.
  std::vector<FragmentTag> Take();

 private:
  std::vector<FragmentTag> persistent_;
  std::vector<FragmentTag> single_;
  std::vector<FragmentTag> own_;
};

}  // namespace kvsbridge
