// The one exception type of the media code.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace kvsbridge {

/// Stable causes; the binding turns them into the `KVSB_…` codes of the TypeScript side.
enum class ErrorKind {
  kMedia,          ///< the pipeline failed
  kMissingPlugin,  ///< a GStreamer element is not installed
  kBadPeerInput,   ///< an SDP or candidate of the peer is not usable
  kNoKeyframe,     ///< the sender sends no keyframe, so nothing can be stored
  kPeerLost,       ///< the connection to the peer failed, was closed or fell silent
  kNoMedia,        ///< the peer is there, but sends nothing that can be recorded
  kOptions,        ///< a value handed in from TypeScript is not valid
};

/// A failure of the media code.
class MediaError : public std::runtime_error {
 public:
  MediaError(ErrorKind kind, const std::string& message, std::string element = "",
             std::string debug = "")
      : std::runtime_error(message),
        kind_(kind),
        element_(std::move(element)),
        debug_(std::move(debug)) {}

  [[nodiscard]] ErrorKind kind() const { return kind_; }
  /// Name of the GStreamer element that reported it, or empty.
  [[nodiscard]] const std::string& element() const { return element_; }
  /// GStreamer's own debug text, or empty.
  [[nodiscard]] const std::string& debug() const { return debug_; }

 private:
  ErrorKind kind_;
  std::string element_;
  std::string debug_;
};

}  // namespace kvsbridge
