// What a viewer's offer asks for, as far as the publisher can give it.
#pragma once

#include <optional>
#include <string>

#include "media/publisher/test_format.h"

namespace kvsbridge {

/// Payload types of the formats that the publisher can send.
struct OfferedFormats {
  std::optional<unsigned> h264;       ///< packetization mode 1, constrained baseline if offered
  std::optional<unsigned> h264_main;  ///< packetization mode 1, main profile
  std::optional<unsigned> h265;
  std::optional<unsigned> vp8;
  std::optional<unsigned> vp9;  ///< profile 0
  std::optional<unsigned> av1;
  std::optional<unsigned> opus;
  std::optional<unsigned> pcmu;
  std::optional<unsigned> pcma;

  /// The payload type to send this codec with. H.264 of main profile takes any H.264 that is
  /// offered where its own profile is not.
  [[nodiscard]] std::optional<unsigned> Find(TestVideoCodec codec, bool main_profile) const;
  [[nodiscard]] std::optional<unsigned> Find(TestAudioCodec codec) const;
};

/// Reads a viewer's offer. @throws MediaError (kBadPeerInput) when it is malformed or has none
OfferedFormats ReadOffer(const std::string& sdp);

}  // namespace kvsbridge
