#include "media/sinks/sink.h"

namespace kvsbridge {

EpochEvent DescribeEpoch(const Epoch& epoch) {
  EpochEvent event;
  event.epoch = epoch.number;
  event.timecode_ms = epoch.timecode_ms;
  if (epoch.video != nullptr) {
    event.video_codec = Rfc6381(*epoch.video);
    event.width = epoch.video->width;
    event.height = epoch.video->height;
  }
  if (epoch.audio != nullptr) event.audio_codec = CodecName(*epoch.audio);
  return event;
}

}  // namespace kvsbridge
