// Encoders and payloaders of the test picture, as pipeline descriptions.
#pragma once

#include <string>

#include "media/publisher/test_format.h"

namespace kvsbridge {

/// "encoder ! caps ! payloader" with the names "video-encode" and "video-pay", for I420 pictures.
/// Real time, one thread, no frame held back but by B-frames.
/// @throws MediaError (kMissingPlugin) when an element is not installed
std::string DescribeVideoEncoder(const TestSourceOptions& options, unsigned payload_type);

/// The fields of the RTP caps that an answer must show, beyond media, encoding name and clock:
/// starts with a comma, or is empty. Out-of-band parameter sets are read from a picture encoded
/// on the spot, which takes some milliseconds.
std::string DescribeVideoFormat(const TestSourceOptions& options);

}  // namespace kvsbridge
