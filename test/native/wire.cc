#include "wire.h"

#include <gst/app/gstappsink.h>
#include <gst/rtp/rtp.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <utility>

#include "media/gstreamer.h"

namespace kvsbridge::testing {
namespace {

Packet ReadPacket(GstBuffer* buffer) {
  Packet packet;
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  if (gst_rtp_buffer_map(buffer, GST_MAP_READ, &rtp) == FALSE) return packet;
  packet.pts = GST_BUFFER_PTS(buffer);
  packet.ssrc = gst_rtp_buffer_get_ssrc(&rtp);
  packet.timestamp = gst_rtp_buffer_get_timestamp(&rtp);
  packet.sequence = gst_rtp_buffer_get_seq(&rtp);
  packet.marker = gst_rtp_buffer_get_marker(&rtp) != FALSE;
  const auto* payload = static_cast<const std::uint8_t*>(gst_rtp_buffer_get_payload(&rtp));
  packet.payload.assign(payload, payload + gst_rtp_buffer_get_payload_len(&rtp));
  gst_rtp_buffer_unmap(&rtp);
  return packet;
}

}  // namespace

Wire::Wire(const ElementPtr& source, const char* pay_name, GstClock* clock)
    : source_(source),
      pipeline_(ElementPtr::Sink(gst_pipeline_new("wire"))),
      sink_(MakeElement("appsink", "packets")) {
  g_object_set(sink_.get(), "sync", FALSE, nullptr);
  gst_bin_add_many(GST_BIN(pipeline_.get()), source.get(), sink_.get(), nullptr);
  gst_element_link(source.get(), sink_.get());
  g_object_set(Element("gate").get(), "drop", FALSE, nullptr);
  pay_pad_ = PadPtr::Adopt(gst_element_get_static_pad(Element(pay_name).get(), "src"));
  if (clock != nullptr) gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock);
}

Wire::~Wire() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

ElementPtr Wire::Element(const char* name) const {
  return ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(source_.get()), name));
}

void Wire::Start() { gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING); }

std::vector<Packet> Wire::Read(std::size_t count) {
  std::vector<Packet> packets;
  while (packets.size() < count) {
    const auto sample =
        SamplePtr::Adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), 20 * GST_SECOND));
    if (!sample) {
      ADD_FAILURE() << "no packet came";
      break;
    }
    caps_ = CapsPtr::Share(gst_sample_get_caps(sample.get()));
    packets.push_back(ReadPacket(gst_sample_get_buffer(sample.get())));
  }
  return packets;
}

std::vector<Packet> Wire::ReadUnits(unsigned units) {
  std::vector<Packet> packets;
  while (units > 0 && !::testing::Test::HasFailure()) {
    for (auto& packet : Read(1)) {
      if (packet.marker) --units;
      packets.push_back(std::move(packet));
    }
  }
  return packets;
}

void Wire::RequestKeyframe(bool fir) const {
  gst_pad_send_event(pay_pad_.get(), gst_video_event_new_upstream_force_key_unit(
                                         GST_CLOCK_TIME_NONE, fir ? TRUE : FALSE, 0));
}

std::string Wire::CapsField(const char* name) const {
  return caps_ ? ToString(gst_structure_get_string(gst_caps_get_structure(caps_.get(), 0), name))
               : "";
}

}  // namespace kvsbridge::testing
