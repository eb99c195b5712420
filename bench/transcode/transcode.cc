// Runs one VP8 file through a track in real time, as a session would: what transcoding costs.
//
//   kvsb_transcode <file.webm>
//
// Prints one line of JSON at the end: how many frames came out, and how many were dropped.
#include <atomic>
#include <cstdio>
#include <string>

#include "media/gstreamer.h"
#include "media/media_error.h"
#include "media/tracks/track.h"

namespace {

constexpr int kUsageExit = 2;

/// The file as RTP, paced by its timestamps.
std::string SenderOf(const std::string& file) {
  return "filesrc location=\"" + file +
         "\" ! matroskademux ! identity sync=true ! rtpvp8pay pt=96 ! capsfilter name=rtp "
         "caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=VP8,payload=96";
}

}  // namespace

int main(int argc, char** argv) {
  using namespace kvsbridge;
  if (argc != 2) {
    std::fputs("usage: kvsb_transcode <file.webm>\n", stderr);
    return kUsageExit;
  }
  try {
    InitializeGStreamer();
    const auto pipeline = ElementPtr::Sink(gst_parse_launch(SenderOf(argv[1]).c_str(), nullptr));
    const auto rtp = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "rtp"));
    const auto pad = PadPtr::Adopt(gst_element_get_static_pad(rtp.get(), "src"));
    std::atomic<unsigned> frames{0};
    std::atomic<unsigned> dropped{0};
    TrackHandlers handlers;
    handlers.on_sample = [&frames](const TrackSample&) { ++frames; };
    handlers.on_eos = [] {};
    handlers.on_loss = [] {};
    handlers.on_dropped = [&dropped](unsigned count, const char*) { dropped += count; };
    auto track = Track::Create(GST_BIN(pipeline.get()), pad.get(), AudioMode::kNone, handlers);
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    const auto bus = ObjectPtr<GstBus>::Adopt(gst_element_get_bus(pipeline.get()));
    const auto end = MessagePtr::Adopt(gst_bus_timed_pop_filtered(
        bus.get(), GST_CLOCK_TIME_NONE,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    const bool failed = GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_ERROR;
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    track.reset();
    std::printf("{\"frames\":%u,\"dropped\":%u}\n", frames.load(), dropped.load());
    return failed ? 1 : 0;
  } catch (const MediaError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
