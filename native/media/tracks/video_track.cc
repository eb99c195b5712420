#include "media/tracks/video_track.h"

#include <utility>

#include "media/gstreamer.h"

namespace kvsbridge {

TrackParts MakePassThrough(SourceCodec codec, TrackHandlers handlers) {
  const bool is_h264 = codec == SourceCodec::kH264;
  auto depay = MakeElement(is_h264 ? "rtph264depay" : "rtph265depay", "video-depay");
  auto parse = MakeElement(is_h264 ? "h264parse" : "h265parse", "video-parse");
  // As Matroska wants it: parameter sets in the caps, lengths in place of start codes.
  const char* caps = is_h264 ? "video/x-h264,stream-format=avc,alignment=au"
                             : "video/x-h265,stream-format=hvc1,alignment=au";
  auto sink = MakeTrackSink("video-out", caps, std::move(handlers));
  TrackParts parts;
  parts.elements = {depay, parse, sink};
  parts.coded = 1;
  parts.stored_as = EncodingName(codec);
  return parts;
}

}  // namespace kvsbridge
