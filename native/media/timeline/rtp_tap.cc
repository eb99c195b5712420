#include "media/timeline/rtp_tap.h"

#include <gst/rtp/rtp.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

namespace kvsbridge {
namespace {

constexpr auto kBuffers =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);

/// More than any camera sends, so that feedback never waits.
constexpr gdouble kSessionBandwidthBps = 20'000'000;

/// Without contributing sources and extensions (RFC 3550, section 5.1).
constexpr std::size_t kRtpHeaderBytes = 12;

/// What names a packet on the time line.
struct PacketId {
  std::uint32_t ssrc = 0;
  std::uint32_t timestamp = 0;
  std::uint16_t sequence = 0;
  guint payload_type = 0;
};

std::optional<PacketId> ReadPacket(GstBuffer* buffer) {
  // Not gst_rtp_buffer_map, which checks the whole packet: rtpbin has done that already.
  std::array<std::uint8_t, kRtpHeaderBytes> head{};
  if (gst_buffer_extract(buffer, 0, head.data(), head.size()) != head.size()) return std::nullopt;
  if (head[0] >> 6 != GST_RTP_VERSION) return std::nullopt;
  return PacketId{GST_READ_UINT32_BE(&head[8]), GST_READ_UINT32_BE(&head[4]),
                  GST_READ_UINT16_BE(&head[2]), head[1] & 0x7FU};
}

template <typename Function>
void ForEachBuffer(GstPadProbeInfo* info, Function function) {
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) == 0) {
    function(GST_PAD_PROBE_INFO_BUFFER(info));
    return;
  }
  GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
  for (guint i = 0; i < gst_buffer_list_length(list); ++i) function(gst_buffer_list_get(list, i));
}

/// A probe's or handler's state, owned by what it is attached to.
template <typename T>
void Delete(gpointer data) {
  delete static_cast<T*>(data);
}

template <typename T>
void DeleteInClosure(gpointer data, GClosure* /*closure*/) {
  delete static_cast<T*>(data);
}

/// In front of one jitter buffer.
struct JitterBufferTap {
  RtpTap::SharedTimeline timeline;
  GstElement* jitter_buffer = nullptr;  ///< owns the pads that own this
  bool introduced = false;
};

/// Tells the time line about the stream. False while its format is not known.
bool Introduce(const JitterBufferTap& tap, const PacketId& packet) {
  GstCaps* raw_caps = nullptr;
  g_signal_emit_by_name(tap.jitter_buffer, "request-pt-map", packet.payload_type, &raw_caps);
  const auto caps = CapsPtr::Adopt(raw_caps);
  if (!caps || gst_caps_is_empty(caps.get()) == TRUE || gst_caps_is_any(caps.get()) == TRUE) {
    return false;
  }
  const GstStructure* format = gst_caps_get_structure(caps.get(), 0);
  gint clock_rate_hz = 0;
  if (gst_structure_get_int(format, "clock-rate", &clock_rate_hz) == FALSE || clock_rate_hz <= 0) {
    return false;
  }
  const std::string track = ToString(gst_structure_get_string(format, "media"));
  tap.timeline->With([&](RtpTimeline& timeline) {
    timeline.AddStream(packet.ssrc, track, static_cast<unsigned>(clock_rate_hz));
  });
  return true;
}

// Runs on the network's streaming thread.
GstPadProbeReturn OnPacketArrival(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  auto* tap = static_cast<JitterBufferTap*>(user_data);
  const GstClockTime now = gst_element_get_current_running_time(tap->jitter_buffer);
  if (!GST_CLOCK_TIME_IS_VALID(now)) return GST_PAD_PROBE_OK;
  ForEachBuffer(info, [tap, now](GstBuffer* buffer) {
    // What was sent again says nothing of the time between capture and arrival.
    if (GST_BUFFER_FLAG_IS_SET(buffer, GST_RTP_BUFFER_FLAG_RETRANSMISSION)) return;
    const auto packet = ReadPacket(buffer);
    if (!packet) return;
    if (!tap->introduced) tap->introduced = Introduce(*tap, *packet);
    tap->timeline->With([&](RtpTimeline& timeline) {
      timeline.OnArrival(packet->ssrc, packet->sequence, packet->timestamp,
                         static_cast<std::int64_t>(now));
    });
  });
  return GST_PAD_PROBE_OK;
}

void ReadReports(GstBuffer* buffer, RtpTimeline& timeline) {
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  if (gst_rtcp_buffer_map(buffer, GST_MAP_READ, &rtcp) == FALSE) return;
  GstRTCPPacket packet;
  for (gboolean more = gst_rtcp_buffer_get_first_packet(&rtcp, &packet); more == TRUE;
       more = gst_rtcp_packet_move_to_next(&packet)) {
    if (gst_rtcp_packet_get_type(&packet) != GST_RTCP_TYPE_SR) continue;
    guint32 ssrc = 0;
    guint64 ntp = 0;
    guint32 timestamp = 0;
    gst_rtcp_packet_sr_get_sender_info(&packet, &ssrc, &ntp, &timestamp, nullptr, nullptr);
    timeline.OnSenderReport(ssrc, ntp, timestamp);
  }
  gst_rtcp_buffer_unmap(&rtcp);
}

// Runs on the network's streaming thread.
GstPadProbeReturn OnReportArrival(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  const auto& timeline = *static_cast<RtpTap::SharedTimeline*>(user_data);
  ForEachBuffer(info, [&timeline](GstBuffer* buffer) {
    if (gst_rtcp_buffer_validate_reduced(buffer) == FALSE) return;
    timeline->With([buffer](RtpTimeline& shared) { ReadReports(buffer, shared); });
  });
  return GST_PAD_PROBE_OK;
}

// Runs on a streaming thread, when rtpbin links the pad that reports come in by.
void OnJitterBufferPad(GstElement* /*jitter_buffer*/, GstPad* pad, gpointer user_data) {
  if (gst_pad_get_direction(pad) != GST_PAD_SINK) return;
  auto timeline =
      std::make_unique<RtpTap::SharedTimeline>(*static_cast<RtpTap::SharedTimeline*>(user_data));
  gst_pad_add_probe(pad, kBuffers, OnReportArrival, timeline.release(),
                    Delete<RtpTap::SharedTimeline>);
}

/// Reports of loss share 5 % of the session's bandwidth with all other RTCP, and early ones must
/// wait for their turn (RFC 4585, section 3.5). From the bandwidth that rtpsession guesses, that is
/// longer than the jitter buffer waits: most lost packets were never asked for in time.
void AllowPromptFeedback(GstElement* rtpbin, guint session) {
  GObject* raw_session = nullptr;
  g_signal_emit_by_name(rtpbin, "get-internal-session", session, &raw_session);
  const auto internal = ObjectPtr<GObject>::Adopt(raw_session);
  if (internal) g_object_set(internal.get(), "bandwidth", kSessionBandwidthBps, nullptr);
}

// Runs on a streaming thread, before the jitter buffer gets its first packet.
void OnJitterBuffer(GstElement* rtpbin, GstElement* jitter_buffer, guint session, guint /*ssrc*/,
                    gpointer user_data) {
  const auto& timeline = *static_cast<RtpTap::SharedTimeline*>(user_data);
  AllowPromptFeedback(rtpbin, session);
  const auto sink = PadPtr::Adopt(gst_element_get_static_pad(jitter_buffer, "sink"));
  auto tap = std::make_unique<JitterBufferTap>(JitterBufferTap{timeline, jitter_buffer, false});
  gst_pad_add_probe(sink.get(), kBuffers, OnPacketArrival, tap.release(), Delete<JitterBufferTap>);
  g_signal_connect_data(jitter_buffer, "pad-added", G_CALLBACK(OnJitterBufferPad),
                        std::make_unique<RtpTap::SharedTimeline>(timeline).release(),
                        DeleteInClosure<RtpTap::SharedTimeline>, GConnectFlags{});
}

/// Behind the jitter buffer, at one pad of webrtcbin.
struct SourceTap {
  RtpTap::SharedTimeline timeline;
  GstClockTimeDiff shift_ns = 0;  ///< of the newest packet: our time minus the jitter buffer's
};

GstBuffer* Retime(SourceTap& tap, GstBuffer* buffer) {
  const auto packet = ReadPacket(buffer);
  if (!packet) return buffer;
  const auto mapped = tap.timeline->With([&packet](RtpTimeline& timeline) {
    return timeline.Map(packet->ssrc, packet->sequence, packet->timestamp);
  });
  if (!mapped || *mapped < 0) return buffer;
  buffer = gst_buffer_make_writable(buffer);
  const auto pts = static_cast<GstClockTime>(*mapped);
  if (GST_BUFFER_PTS_IS_VALID(buffer)) tap.shift_ns = GST_CLOCK_DIFF(GST_BUFFER_PTS(buffer), pts);
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  return buffer;
}

/// The jitter buffer tells decoders of lost packets, to conceal them, in its own time.
GstEvent* RetimeLoss(const SourceTap& tap, GstEvent* event) {
  GstClockTime timestamp = GST_CLOCK_TIME_NONE;
  const GstStructure* lost = gst_event_get_structure(event);
  if (gst_event_has_name(event, "GstRTPPacketLost") == FALSE ||
      gst_structure_get_clock_time(lost, "timestamp", &timestamp) == FALSE ||
      !GST_CLOCK_TIME_IS_VALID(timestamp)) {
    return event;
  }
  const GstClockTimeDiff shifted = static_cast<GstClockTimeDiff>(timestamp) + tap.shift_ns;
  event = GST_EVENT(gst_mini_object_make_writable(GST_MINI_OBJECT_CAST(event)));
  gst_structure_set(gst_event_writable_structure(event), "timestamp", G_TYPE_UINT64,
                    static_cast<guint64>(std::max<GstClockTimeDiff>(shifted, 0)), nullptr);
  return event;
}

gboolean RetimeInList(GstBuffer** buffer, guint /*index*/, gpointer user_data) {
  *buffer = Retime(*static_cast<SourceTap*>(user_data), *buffer);
  return TRUE;
}

// Runs on the jitter buffer's streaming thread.
GstPadProbeReturn OnDeparture(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  auto* tap = static_cast<SourceTap*>(user_data);
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    info->data = Retime(*tap, GST_PAD_PROBE_INFO_BUFFER(info));
  } else if ((info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0) {
    GstBufferList* list = gst_buffer_list_make_writable(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
    gst_buffer_list_foreach(list, RetimeInList, tap);
    info->data = list;
  } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_CUSTOM_DOWNSTREAM) {
    info->data = RetimeLoss(*tap, GST_PAD_PROBE_INFO_EVENT(info));
  }
  return GST_PAD_PROBE_OK;
}

}  // namespace

RtpTap::RtpTap(GstElement* webrtc) : timeline_(std::make_shared<Guarded<RtpTimeline>>()) {
  const auto rtpbin = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(webrtc), "rtpbin"));
  if (!rtpbin) return;  // times stay what the jitter buffer makes them
  // rtpbin's own lip-sync delays the jitter buffers' output: no change is ever large enough for it.
  g_object_set(rtpbin.get(), "min-ts-offset", std::numeric_limits<guint64>::max(), nullptr);
  g_signal_connect_data(rtpbin.get(), "new-jitterbuffer", G_CALLBACK(OnJitterBuffer),
                        std::make_unique<SharedTimeline>(timeline_).release(),
                        DeleteInClosure<SharedTimeline>, GConnectFlags{});
}

void RtpTap::Attach(GstPad* pad) const {
  auto tap = std::make_unique<SourceTap>(SourceTap{timeline_, 0});
  gst_pad_add_probe(pad,
                    static_cast<GstPadProbeType>(kBuffers | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
                    OnDeparture, tap.release(), Delete<SourceTap>);
}

}  // namespace kvsbridge
