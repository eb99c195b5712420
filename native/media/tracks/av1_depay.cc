#include "media/tracks/av1_depay.h"

#include <gst/rtp/rtp.h>
#include <gst/video/video.h>

#include <memory>

#include "media/tracks/av1_assembler.h"

namespace kvsbridge {
namespace {

constexpr gint kClockRate = 90'000;
/// A sender that was asked gets this long before it is asked again.
constexpr gint64 kKeyframeRetryUs = 1'000'000;

struct Av1Depay {
  GstRTPBaseDepayload parent;
  Av1Assembler* assembler;
  gint64 keyframe_asked_us;
};

struct Av1DepayClass {
  GstRTPBaseDepayloadClass parent_class;
};

GType TypeOfAv1Depay();

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("application/x-rtp,media=(string)video,"
                                            "clock-rate=(int)90000,encoding-name=(string)AV1"));
GstStaticPadTemplate source_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("video/x-av1,stream-format=(string)obu-stream,alignment=(string)tu"));

Av1Depay* Self(gpointer instance) { return static_cast<Av1Depay*>(instance); }

gboolean SetCaps(GstRTPBaseDepayload* base, GstCaps* /*caps*/) {
  base->clock_rate = kClockRate;
  const auto caps = CapsPtr::Adopt(gst_static_pad_template_get_caps(&source_template));
  return gst_pad_set_caps(base->srcpad, caps.get());
}

void AskForKeyframe(GstRTPBaseDepayload* base) {
  const gint64 now_us = g_get_monotonic_time();
  gint64& asked_us = Self(base)->keyframe_asked_us;
  if (asked_us != 0 && now_us - asked_us < kKeyframeRetryUs) return;
  asked_us = now_us;
  gst_pad_push_event(base->sinkpad,
                     gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

// Runs on the streaming thread.
GstBuffer* ProcessPacket(GstRTPBaseDepayload* base, GstRTPBuffer* packet) {
  Av1Assembler& assembler = *Self(base)->assembler;
  if (GST_BUFFER_IS_DISCONT(packet->buffer)) assembler.OnLoss();
  const auto* payload = static_cast<const std::uint8_t*>(gst_rtp_buffer_get_payload(packet));
  const auto unit = assembler.Push(payload, gst_rtp_buffer_get_payload_len(packet),
                                   gst_rtp_buffer_get_timestamp(packet),
                                   gst_rtp_buffer_get_marker(packet) == TRUE);
  if (assembler.needs_keyframe()) AskForKeyframe(base);
  if (!unit) return nullptr;
  GstBuffer* buffer = gst_buffer_new_memdup(unit->data.data(), unit->data.size());
  if (!unit->keyframe) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  return buffer;
}

gboolean OnPacketLost(GstRTPBaseDepayload* base, GstEvent* event) {
  Self(base)->assembler->OnLoss();
  auto* parent_class =
      GST_RTP_BASE_DEPAYLOAD_CLASS(g_type_class_peek_parent(g_type_class_peek(TypeOfAv1Depay())));
  return parent_class->packet_lost(base, event);
}

void Finalize(GObject* object) {
  delete Self(object)->assembler;
  G_OBJECT_CLASS(g_type_class_peek_parent(g_type_class_peek(TypeOfAv1Depay())))->finalize(object);
}

void InitClass(gpointer g_class, gpointer /*data*/) {
  G_OBJECT_CLASS(g_class)->finalize = Finalize;
  auto* element_class = GST_ELEMENT_CLASS(g_class);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &source_template);
  gst_element_class_set_static_metadata(element_class, "AV1 RTP depayloader",
                                        "Codec/Depayloader/Network/RTP",
                                        "Extracts AV1 temporal units from RTP", "kvs-bridge");
  auto* depay_class = GST_RTP_BASE_DEPAYLOAD_CLASS(g_class);
  depay_class->set_caps = SetCaps;
  depay_class->process_rtp_packet = ProcessPacket;
  depay_class->packet_lost = OnPacketLost;
}

void InitInstance(GTypeInstance* instance, gpointer /*g_class*/) {
  // GObject frees the instance as plain memory: the assembler goes in Finalize.
  Self(instance)->assembler = std::make_unique<Av1Assembler>().release();
}

GType TypeOfAv1Depay() {
  static const GType kType = [] {
    GTypeInfo info = {};
    info.class_size = sizeof(Av1DepayClass);
    info.class_init = InitClass;
    info.instance_size = sizeof(Av1Depay);
    info.instance_init = InitInstance;
    return g_type_register_static(GST_TYPE_RTP_BASE_DEPAYLOAD, "KvsbAv1Depay", &info, GTypeFlags{});
  }();
  return kType;
}

}  // namespace

ElementPtr MakeAv1Depayloader(const std::string& name) {
  return ElementPtr::Sink(
      GST_ELEMENT_CAST(g_object_new(TypeOfAv1Depay(), "name", name.c_str(), nullptr)));
}

}  // namespace kvsbridge
