#include "media/publisher/sender_faults.h"

#include <gst/rtp/rtp.h>
#include <gst/video/video.h>

#include <cmath>
#include <optional>
#include <string_view>

namespace kvsbridge {

/// Belongs to one payloader's stream.
struct RtpRewriter::State {
  unsigned clock_rate_hz = 0;
  ClockFault fault;
  bool change_wanted = false;
  bool at_unit_start = true;
  std::optional<std::uint32_t> ssrc;
  std::uint32_t timestamp_offset = 0;
  std::uint16_t sequence_offset = 0;
  GstClockTime first_packet = GST_CLOCK_TIME_NONE;
};

namespace {

constexpr double kPartsPerMillion = 1e6;
/// NTP timestamps count 2^-32 s.
constexpr double kNtpPerSecond = 4'294'967'296.0;

template <typename T>
void Delete(gpointer data) {
  delete static_cast<T*>(data);
}

using Requests = std::shared_ptr<Guarded<std::uint64_t>>;
using RewriteState = std::shared_ptr<Guarded<RtpRewriter::State>>;

struct RequestData {
  Requests requests;
  KeyframePolicy policy;
};

bool IsObeyed(KeyframePolicy policy, GstEvent* request) {
  if (policy == KeyframePolicy::kOnRequest) return true;
  if (policy != KeyframePolicy::kOnFir) return false;
  // rtpbin asks for all headers on FIR, not on PLI (gstrtpsession.c).
  gboolean all_headers = FALSE;
  gst_video_event_parse_upstream_force_key_unit(request, nullptr, &all_headers, nullptr);
  return all_headers != FALSE;
}

// Runs on rtpbin's RTCP thread.
GstPadProbeReturn OnRequest(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (gst_video_event_is_force_key_unit(event) == FALSE) return GST_PAD_PROBE_OK;
  const auto* data = static_cast<RequestData*>(user_data);
  data->requests->With([](std::uint64_t& requests) { return ++requests; });
  return IsObeyed(data->policy, event) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

// Runs on the streaming thread.
GstPadProbeReturn DropKeyframe(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer /*user_data*/) {
  const bool is_delta =
      GST_BUFFER_FLAG_IS_SET(GST_PAD_PROBE_INFO_BUFFER(info), GST_BUFFER_FLAG_DELTA_UNIT) != FALSE;
  return is_delta ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

void Step(RtpRewriter::State& state, GstClockTime time) {
  if (state.fault.rtp_step_ms == 0 || !GST_CLOCK_TIME_IS_VALID(time)) return;
  if (!GST_CLOCK_TIME_IS_VALID(state.first_packet)) state.first_packet = time;
  if (time < state.first_packet + state.fault.step_after_ms * GST_MSECOND) return;
  state.timestamp_offset += static_cast<std::uint32_t>(
      static_cast<std::int64_t>(state.fault.rtp_step_ms) * state.clock_rate_hz / 1000);
  state.fault.rtp_step_ms = 0;
}

void Rewrite(RtpRewriter::State& state, GstBuffer* buffer) {
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  if (gst_rtp_buffer_map(buffer, GST_MAP_READWRITE, &rtp) == FALSE) return;
  if (state.at_unit_start) {
    Step(state, GST_BUFFER_PTS(buffer));
    if (state.change_wanted) {
      state.change_wanted = false;
      state.ssrc = g_random_int();
      state.timestamp_offset += g_random_int();
      state.sequence_offset = static_cast<std::uint16_t>(g_random_int());
    }
  }
  // Each Opus or G.711 packet is a unit of its own, without marker.
  state.at_unit_start = state.clock_rate_hz != 90'000 || gst_rtp_buffer_get_marker(&rtp) != FALSE;
  if (state.ssrc) gst_rtp_buffer_set_ssrc(&rtp, *state.ssrc);
  gst_rtp_buffer_set_timestamp(&rtp, gst_rtp_buffer_get_timestamp(&rtp) + state.timestamp_offset);
  gst_rtp_buffer_set_seq(
      &rtp, static_cast<std::uint16_t>(gst_rtp_buffer_get_seq(&rtp) + state.sequence_offset));
  gst_rtp_buffer_unmap(&rtp);
}

gboolean RewriteListed(GstBuffer** buffer, guint /*index*/, gpointer user_data) {
  *buffer = gst_buffer_make_writable(*buffer);
  Rewrite(*static_cast<RtpRewriter::State*>(user_data), *buffer);
  return TRUE;
}

// Runs on the streaming thread.
GstPadProbeReturn OnPackets(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  (*static_cast<RewriteState*>(user_data))->With([info](RtpRewriter::State& state) {
    if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0) {
      GstBufferList* list = gst_buffer_list_make_writable(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
      info->data = list;
      gst_buffer_list_foreach(list, RewriteListed, &state);
    } else {
      GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
      info->data = buffer;
      Rewrite(state, buffer);
    }
    return 0;
  });
  return GST_PAD_PROBE_OK;
}

struct ReportFault {
  ClockFault fault;
  std::optional<std::uint64_t> first_ntp;
};

// Runs on rtpbin's RTCP thread.
GstPadProbeReturn OnReport(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  auto* data = static_cast<ReportFault*>(user_data);
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  info->data = buffer;
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  if (gst_rtcp_buffer_map(buffer, GST_MAP_READWRITE, &rtcp) == FALSE) return GST_PAD_PROBE_OK;
  GstRTCPPacket packet;
  for (gboolean more = gst_rtcp_buffer_get_first_packet(&rtcp, &packet); more != FALSE;
       more = gst_rtcp_packet_move_to_next(&packet)) {
    if (gst_rtcp_packet_get_type(&packet) != GST_RTCP_TYPE_SR) continue;
    guint32 ssrc = 0;
    guint64 ntp = 0;
    guint32 rtp_time = 0;
    guint32 packets = 0;
    guint32 octets = 0;
    gst_rtcp_packet_sr_get_sender_info(&packet, &ssrc, &ntp, &rtp_time, &packets, &octets);
    if (!data->first_ntp) data->first_ntp = ntp;
    gst_rtcp_packet_sr_set_sender_info(&packet, ssrc, FaultyNtp(data->fault, *data->first_ntp, ntp),
                                       rtp_time, packets, octets);
  }
  gst_rtcp_buffer_unmap(&rtcp);
  return GST_PAD_PROBE_OK;
}

// Runs on webrtcbin's `:pc` thread.
void OnRtpBinPad(GstElement* /*rtpbin*/, GstPad* pad, gpointer user_data) {
  if (std::string_view(GST_PAD_NAME(pad)).rfind("send_rtcp_src_", 0) != 0) return;
  auto data = std::make_unique<ReportFault>();
  data->fault = *static_cast<ClockFault*>(user_data);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, OnReport, data.release(), Delete<ReportFault>);
}

void DeleteFault(gpointer data, GClosure* /*closure*/) { delete static_cast<ClockFault*>(data); }

}  // namespace

ObjectPtr<GstClock> MakeSkewedClock(double skew_ppm) {
  constexpr GstClockTime kDenominator = 1'000'000'000;
  auto clock = ObjectPtr<GstClock>::Sink(GST_CLOCK(
      g_object_new(GST_TYPE_SYSTEM_CLOCK, "clock-type", GST_CLOCK_TYPE_MONOTONIC, nullptr)));
  const GstClockTime now = gst_clock_get_time(clock.get());
  const auto rate = static_cast<GstClockTime>(
      std::llround((1 + skew_ppm / kPartsPerMillion) * static_cast<double>(kDenominator)));
  gst_clock_set_calibration(clock.get(), now, now, rate, kDenominator);
  return clock;
}

std::uint64_t KeyframeGate::requests() const {
  return requests_->With([](std::uint64_t& requests) { return requests; });
}

void KeyframeGate::Install(GstPad* encoded_pad, GstPad* pay_source_pad, KeyframePolicy policy) {
  auto data = std::make_unique<RequestData>(RequestData{requests_, policy});
  gst_pad_add_probe(pay_source_pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, OnRequest, data.release(),
                    Delete<RequestData>);
  if (policy == KeyframePolicy::kNever) {
    gst_pad_add_probe(encoded_pad, GST_PAD_PROBE_TYPE_BUFFER, DropKeyframe, nullptr, nullptr);
  }
}

RtpRewriter::RtpRewriter(GstPad* pad, unsigned clock_rate_hz, const ClockFault& fault)
    : state_(std::make_shared<Guarded<State>>()) {
  state_->With([clock_rate_hz, &fault](State& state) {
    state.clock_rate_hz = clock_rate_hz;
    state.fault = fault;
    return 0;
  });
  auto data = std::make_unique<RewriteState>(state_);
  gst_pad_add_probe(
      pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      OnPackets, data.release(), Delete<RewriteState>);
}

void RtpRewriter::ChangeSsrc() {
  state_->With([](State& state) { return state.change_wanted = true; });
}

void FaultSenderReports(GstElement* rtpbin, const ClockFault& fault) {
  if (fault.ntp_skew_ppm == 0 && fault.ntp_step_ms == 0) return;
  g_signal_connect_data(rtpbin, "pad-added", G_CALLBACK(OnRtpBinPad),
                        std::make_unique<ClockFault>(fault).release(), DeleteFault,
                        GConnectFlags{});
}

std::uint64_t FaultyNtp(const ClockFault& fault, std::uint64_t first_ntp, std::uint64_t ntp) {
  const double elapsed_s = static_cast<double>(ntp - first_ntp) / kNtpPerSecond;
  double offset_s = elapsed_s * fault.ntp_skew_ppm / kPartsPerMillion;
  if (elapsed_s * 1000 >= fault.step_after_ms) offset_s += fault.ntp_step_ms / 1000.0;
  return ntp + static_cast<std::uint64_t>(std::llround(offset_s * kNtpPerSecond));
}

}  // namespace kvsbridge
