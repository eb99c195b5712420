#include "switching_publisher.h"

#include <gst/webrtc/webrtc.h>

#include <utility>

#include "media/gstreamer.h"
#include "media/publisher/offer_reader.h"
#include "media/tracks/track.h"

namespace kvsbridge::testing {
namespace {

std::string SizeCaps(unsigned width, unsigned height) {
  return "video/x-raw,format=I420,framerate=30/1,width=" + std::to_string(width) +
         ",height=" + std::to_string(height);
}

}  // namespace

SwitchingPublisher::SwitchingPublisher(std::string offer, std::shared_ptr<EventSink> events)
    : Session("test-publisher", {}, std::move(events)), offer_(std::move(offer)) {}

SwitchingPublisher::~SwitchingPublisher() { Shutdown(); }

void SwitchingPublisher::OnStart() {
  const OfferedFormats formats = ReadOffer(offer_);
  AddSource(
      "videotestsrc is-live=true ! capsfilter name=size caps=" + SizeCaps(320, 180) +
          " ! x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max=300 bitrate=300"
          " ! video/x-h264,profile=constrained-baseline"
          " ! rtph264pay config-interval=-1 aggregate-mode=zero-latency pt=" +
          std::to_string(formats.h264.value()) +
          " ! application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=" +
          std::to_string(*formats.h264),
      "size", size_);
  if (formats.opus) {
    AddSource(
        "audiotestsrc is-live=true samplesperbuffer=960 ! valve name=sound ! opusenc"
        " ! rtpopuspay pt=" +
            std::to_string(*formats.opus) +
            " ! application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=" +
            std::to_string(*formats.opus),
        "sound", sound_);
  }
  gst_element_set_state(GST_ELEMENT_CAST(pipeline()), GST_STATE_PLAYING);
  peer().SetRemoteOfferAndAnswer(offer_);
}

void SwitchingPublisher::AddSource(const std::string& description, const char* named,
                                   ElementPtr& element) {
  GstElement* bin = gst_parse_bin_from_description(description.c_str(), TRUE, nullptr);
  g_assert_nonnull(bin);
  gst_bin_add(pipeline(), bin);
  element = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(bin), named));
  const auto source = PadPtr::Adopt(gst_element_get_static_pad(bin, "src"));
  const auto sink = PadPtr::Adopt(gst_element_request_pad_simple(peer().element(), "sink_%u"));
  g_assert_cmpint(gst_pad_link(source.get(), sink.get()), ==, GST_PAD_LINK_OK);
}

void SwitchingPublisher::OnPad(PadPtr pad, gulong block_probe) {
  DropMedia(pad.get());
  gst_pad_remove_probe(pad.get(), block_probe);
}

void SwitchingPublisher::OnClosed() {
  size_.reset();
  sound_.reset();
}

void SwitchingPublisher::SetSize(unsigned width, unsigned height) {
  Post([this, width, height] {
    const auto caps = CapsPtr::Adopt(gst_caps_from_string(SizeCaps(width, height).c_str()));
    if (size_) g_object_set(size_.get(), "caps", caps.get(), nullptr);
  });
}

void SwitchingPublisher::SetSound(bool on) {
  Post([this, on] {
    if (sound_) g_object_set(sound_.get(), "drop", on ? FALSE : TRUE, nullptr);
  });
}

}  // namespace kvsbridge::testing
