#include "media/tracks/codecs.h"

#include <array>
#include <string>

#include "media/gstreamer.h"
#include "media/tracks/transcoder_elements.h"

namespace kvsbridge {
namespace {

struct Entry {
  SourceCodec codec;
  std::string_view encoding_name;
};

constexpr std::array kEntries = {
    Entry{SourceCodec::kH264, "H264"}, Entry{SourceCodec::kH265, "H265"},
    Entry{SourceCodec::kVp8, "VP8"},   Entry{SourceCodec::kVp9, "VP9"},
    Entry{SourceCodec::kAv1, "AV1"},
};

/// @throws MediaError (kMissingPlugin)
void RequireElementsFor(SourceCodec codec) {
  switch (codec) {
    case SourceCodec::kH264:
      return RequireElements({"rtph264depay", "h264parse"});
    case SourceCodec::kH265:
      return RequireElements({"rtph265depay", "h265parse"});
    case SourceCodec::kVp8:
    case SourceCodec::kVp9:
    case SourceCodec::kAv1:
      return RequireTranscoderElements(codec);
  }
}

}  // namespace

std::vector<SourceCodec> AllSourceCodecs() {
  std::vector<SourceCodec> codecs;
  codecs.reserve(kEntries.size());
  for (const auto& entry : kEntries) codecs.push_back(entry.codec);
  return codecs;
}

std::string_view EncodingName(SourceCodec codec) {
  for (const auto& entry : kEntries) {
    if (entry.codec == codec) return entry.encoding_name;
  }
  return "";
}

std::optional<SourceCodec> SourceCodecNamed(std::string_view encoding_name) {
  for (const auto& entry : kEntries) {
    if (entry.encoding_name == encoding_name) return entry.codec;
  }
  return std::nullopt;
}

bool IsStoredUntouched(SourceCodec codec) {
  return codec == SourceCodec::kH264 || codec == SourceCodec::kH265;
}

std::vector<SourceCodec> UsableSourceCodecs(
    const std::vector<SourceCodec>& wanted,
    const std::function<void(const MediaError&)>& on_missing) {
  std::vector<SourceCodec> usable;
  std::vector<MediaError> missing;
  for (const SourceCodec codec : wanted) {
    try {
      RequireElementsFor(codec);
      usable.push_back(codec);
    } catch (const MediaError& error) {
      missing.emplace_back(error.kind(),
                           std::string(EncodingName(codec)) + " cannot be taken: " + error.what(),
                           error.element());
    }
  }
  if (usable.empty() && !missing.empty()) throw MediaError(missing.front());
  for (const auto& error : missing) on_missing(error);
  return usable;
}

}  // namespace kvsbridge
