#include "track_rig.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/rtp/rtp.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <utility>

#include "media/gstreamer.h"

namespace kvsbridge::testing {
namespace {

constexpr std::chrono::seconds kPatience{30};

ElementPtr Launch(const std::string& description) {
  InitializeGStreamer();
  GError* raw_error = nullptr;
  auto pipeline = ElementPtr::Sink(gst_parse_launch(description.c_str(), &raw_error));
  const GErrorPtr error(raw_error);
  if (error) ADD_FAILURE() << error->message;
  return pipeline;
}

/// Pulls everything from the appsink "out" of a pipeline, then takes it down.
std::vector<SamplePtr> PullAll(const ElementPtr& pipeline) {
  std::vector<SamplePtr> samples;
  const auto sink = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  while (auto sample = SamplePtr::Adopt(gst_app_sink_pull_sample(GST_APP_SINK(sink.get())))) {
    samples.push_back(std::move(sample));
  }
  EXPECT_TRUE(gst_app_sink_is_eos(GST_APP_SINK(sink.get())));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return samples;
}

/// Feeds samples to a decoder and pulls what it gives out.
std::vector<SamplePtr> Decode(const std::vector<TrackSample>& samples, const std::string& chain) {
  const auto pipeline =
      Launch("appsrc name=in format=time ! " + chain + " ! appsink name=out sync=false");
  const auto source = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "in"));
  // Ready to take data before any is pulled; the queue of an appsrc only warns of its limit.
  gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
  for (const auto& sample : samples) {
    gst_app_src_push_sample(GST_APP_SRC(source.get()), sample.sample.get());
  }
  gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
  auto decoded = PullAll(pipeline);
  const auto bus = ObjectPtr<GstBus>::Adopt(gst_element_get_bus(pipeline.get()));
  const auto message = MessagePtr::Adopt(gst_bus_pop_filtered(
      bus.get(), static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING)));
  EXPECT_FALSE(message) << "the decoder complains";
  return decoded;
}

}  // namespace

Packets RecordPackets(const std::string& description) {
  Packets packets;
  for (const auto& sample : PullAll(Launch(description + " ! appsink name=out sync=false"))) {
    GstBufferList* list = gst_sample_get_buffer_list(sample.get());
    if (list == nullptr) {
      packets.push_back(BufferPtr::Share(gst_sample_get_buffer(sample.get())));
      continue;
    }
    for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
      packets.push_back(BufferPtr::Share(gst_buffer_list_get(list, i)));
    }
  }
  return packets;
}

Packets VideoPackets(const std::string& encoder_and_payloader, const std::string& caps,
                     unsigned frames) {
  return RecordPackets("videotestsrc num-buffers=" + std::to_string(frames) +
                       " ! video/x-raw,format=I420,framerate=30/1," + caps + " ! " +
                       encoder_and_payloader);
}

Packets Following(const BufferPtr& last, const Packets& packets) {
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  gst_rtp_buffer_map(last.get(), GST_MAP_READ, &rtp);
  guint16 sequence = gst_rtp_buffer_get_seq(&rtp);
  const guint32 ssrc = gst_rtp_buffer_get_ssrc(&rtp);
  gst_rtp_buffer_unmap(&rtp);
  Packets moved;
  for (const auto& packet : packets) {
    auto copy = BufferPtr::Adopt(gst_buffer_copy_deep(packet.get()));
    GST_BUFFER_PTS(copy.get()) += GST_BUFFER_PTS(last.get()) + GST_SECOND / 30;
    GST_BUFFER_DTS(copy.get()) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_FLAG_UNSET(copy.get(), GST_BUFFER_FLAG_DISCONT);
    rtp = GST_RTP_BUFFER_INIT;
    gst_rtp_buffer_map(copy.get(), GST_MAP_READWRITE, &rtp);
    gst_rtp_buffer_set_seq(&rtp, ++sequence);
    gst_rtp_buffer_set_ssrc(&rtp, ssrc);
    gst_rtp_buffer_unmap(&rtp);
    moved.push_back(std::move(copy));
  }
  return moved;
}

std::uint64_t TrackOutput::bytes() const {
  std::uint64_t total = 0;
  for (const auto& sample : samples) {
    total += gst_buffer_get_size(gst_sample_get_buffer(sample.sample.get()));
  }
  return total;
}

unsigned TrackOutput::dropped_frames() const {
  unsigned total = 0;
  for (const auto& [reason, frames] : dropped) total += frames;
  return total;
}

std::vector<std::size_t> TrackOutput::keyframes() const {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    GstBuffer* buffer = gst_sample_get_buffer(samples[i].sample.get());
    if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT)) indices.push_back(i);
  }
  return indices;
}

TrackRig::TrackRig(const std::string& caps, AudioMode audio) {
  InitializeGStreamer();
  pipeline_ = ElementPtr::Sink(gst_pipeline_new("track-rig"));
  source_ = MakeElement("appsrc", "rtp");
  const auto packet_caps = CapsPtr::Adopt(gst_caps_from_string(caps.c_str()));
  g_object_set(source_.get(), "format", GST_FORMAT_TIME, "caps", packet_caps.get(), nullptr);
  // An appsrc that does not run yet has no caps to tell.
  const auto filter = MakeCapsFilter("rtp-caps", caps);
  gst_bin_add_many(GST_BIN(pipeline_.get()), source_.get(), filter.get(), nullptr);
  gst_element_link(source_.get(), filter.get());
  const auto pad = PadPtr::Adopt(gst_element_get_static_pad(filter.get(), "src"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      [](GstPad*, GstPadProbeInfo* info, gpointer user_data) {
        auto* self = static_cast<TrackRig*>(user_data);
        if (gst_video_event_is_force_key_unit(GST_PAD_PROBE_INFO_EVENT(info)) == TRUE) {
          const std::lock_guard<std::mutex> lock(self->mutex_);
          ++self->keyframe_requests_;
        }
        return GST_PAD_PROBE_OK;
      },
      this, nullptr);
  const auto change = [this](auto what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    what();
    changed_.notify_all();
  };
  TrackHandlers handlers;
  handlers.on_sample = [this, change](TrackSample sample) {
    change([&] { output_.samples.push_back(std::move(sample)); });
  };
  handlers.on_eos = [this, change] { change([this] { ended_ = true; }); };
  handlers.on_lost = [](unsigned) {};
  handlers.on_loss = [this, change] { change([this] { ++output_.losses; }); };
  handlers.on_dropped = [this, change](unsigned frames, const char* reason) {
    change([&] { output_.dropped[reason] += frames; });
  };
  track_ = Track::Create(GST_BIN(pipeline_.get()), pad.get(), audio, handlers);
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
}

TrackRig::~TrackRig() {
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  track_.reset();
}

void TrackRig::Send(const Packets& packets) {
  for (const auto& packet : packets) {
    gst_app_src_push_buffer(GST_APP_SRC(source_.get()), gst_buffer_ref(packet.get()));
  }
}

bool TrackRig::WaitForSamples(std::size_t samples) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return output_.samples.size() >= samples; });
}

TrackOutput TrackRig::Finish() {
  gst_app_src_end_of_stream(GST_APP_SRC(source_.get()));
  std::unique_lock<std::mutex> lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, kPatience, [this] { return ended_; })) << "no end";
  return output_;
}

unsigned TrackRig::keyframe_requests() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return keyframe_requests_;
}

std::vector<std::string> DecodedSizes(const std::vector<TrackSample>& samples) {
  std::vector<std::string> sizes;
  for (const auto& picture : Decode(samples, "h264parse ! openh264dec")) {
    GstVideoInfo info;
    EXPECT_TRUE(gst_video_info_from_caps(&info, gst_sample_get_caps(picture.get())));
    sizes.push_back(std::to_string(info.width) + "x" + std::to_string(info.height));
  }
  return sizes;
}

std::vector<std::int16_t> DecodedSound(const std::vector<TrackSample>& samples) {
  std::vector<std::int16_t> sound;
  for (const auto& block : Decode(
           samples, "faad ! audioconvert dithering=none ! audio/x-raw,format=S16LE,channels=2")) {
    const MappedBuffer mapped(gst_sample_get_buffer(block.get()));
    const std::size_t begin = sound.size();
    sound.resize(begin + mapped.size() / sizeof(std::int16_t));
    std::memcpy(sound.data() + begin, mapped.data(), mapped.size());
  }
  return sound;
}

}  // namespace kvsbridge::testing
