#include "media/peer/peer_watch.h"

#include <gst/rtp/rtp.h>
#include <gst/webrtc/webrtc.h>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>

#include "media/gstreamer.h"
#include "media/media_clock.h"
#include "media/peer/offer_caps.h"
#include "media/peer/round_trip.h"

namespace kvsbridge {

/// Shared with the network's streaming thread, which writes it.
struct PeerWatch::Counts {
  std::atomic<std::uint64_t> packets{0};  ///< all but STUN, which libnice keeps
  std::atomic<std::uint64_t> media{0};
  std::atomic<std::uint64_t> video{0};
  std::atomic<std::uint32_t> video_ssrc{0};
  /// Which payload types are video; written before the probes are installed.
  std::array<bool, 128> is_video{};
  const StunMark mark;
  Guarded<RoundTrip> round_trip;
};

namespace {

constexpr auto kBuffers =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
constexpr unsigned kTicksPerSecond = 10;
/// Ticks between two looks at the sockets while packets come.
constexpr unsigned kTicksPerPoll = 10;

using SharedCounts = std::shared_ptr<PeerWatch::Counts>;

void DeleteCounts(gpointer data) { delete static_cast<SharedCounts*>(data); }

void Count(PeerWatch::Counts& counts, GstBuffer* buffer) {
  counts.packets.fetch_add(1, std::memory_order_relaxed);
  std::array<std::uint8_t, 12> head{};
  if (gst_buffer_extract(buffer, 0, head.data(), head.size()) != head.size()) return;
  // RFC 7983: 128 to 191 is RTP or RTCP; RFC 5761: payload types 64 to 95 are RTCP. SRTP leaves the
  // header readable.
  const unsigned payload_type = head[1] & 0x7fU;
  const bool rtp = head[0] >= 128 && head[0] <= 191 && (payload_type < 64 || payload_type > 95);
  if (!rtp) return;
  counts.media.fetch_add(1, std::memory_order_relaxed);
  // A browser pads in order to probe the path, on a paused track too.
  const bool padding = (head[0] & 0x20U) != 0;
  if (counts.is_video[payload_type] && !padding) {
    counts.video_ssrc.store(GST_READ_UINT32_BE(&head[8]), std::memory_order_relaxed);
    counts.video.fetch_add(1, std::memory_order_relaxed);
  }
}

/// Whether the packet is for us alone: the answer to a question of ours.
bool TakeAnswer(PeerWatch::Counts& counts, GstBuffer* buffer) {
  const auto number = counts.mark.AnsweredBy(buffer);
  if (!number) return false;
  const std::int64_t now_ns = MediaClock::MonotonicNs();
  counts.round_trip.With([&](RoundTrip& trip) { trip.OnAnswer(*number, now_ns); });
  return true;
}

// Runs on the network's streaming thread.
GstPadProbeReturn OnPackets(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  PeerWatch::Counts& counts = **static_cast<SharedCounts*>(user_data);
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) == 0) {
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    if (TakeAnswer(counts, buffer)) return GST_PAD_PROBE_DROP;
    Count(counts, buffer);
    return GST_PAD_PROBE_OK;
  }
  GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
  for (guint i = gst_buffer_list_length(list); i-- > 0;) {
    GstBuffer* buffer = gst_buffer_list_get(list, i);
    if (TakeAnswer(counts, buffer)) {
      list = gst_buffer_list_make_writable(list);
      gst_buffer_list_remove(list, i, 1);
      info->data = list;
    } else {
      Count(counts, buffer);
    }
  }
  return GST_PAD_PROBE_OK;
}

using Description =
    std::unique_ptr<GstWebRTCSessionDescription, decltype(&gst_webrtc_session_description_free)>;

Description ReadDescription(GstElement* webrtc, const char* property) {
  GstWebRTCSessionDescription* description = nullptr;
  g_object_get(webrtc, property, &description, nullptr);
  return {description, gst_webrtc_session_description_free};
}

/// An attribute of the first section that has it, or of the whole description.
std::string FindAttribute(const GstSDPMessage* sdp, const char* name) {
  for (guint i = 0; i < gst_sdp_message_medias_len(sdp); ++i) {
    const char* value = gst_sdp_media_get_attribute_val(gst_sdp_message_get_media(sdp, i), name);
    if (value != nullptr) return value;
  }
  return ToString(gst_sdp_message_get_attribute_val(sdp, name));
}

/// Repair and redundancy come in formats of their own and make no frames alone.
bool IsRepair(const std::string& encoding_name) {
  return encoding_name == "RTX" || encoding_name == "RED" || encoding_name == "ULPFEC" ||
         encoding_name == "FLEXFEC-03";
}

std::vector<ElementPtr> FindElements(GstElement* bin, const char* factory) {
  std::vector<ElementPtr> found;
  GstIterator* iterator = gst_bin_iterate_all_by_element_factory_name(GST_BIN(bin), factory);
  gst_iterator_foreach(
      iterator,
      [](const GValue* value, gpointer user_data) {
        static_cast<std::vector<ElementPtr>*>(user_data)->push_back(
            ElementPtr::Share(GST_ELEMENT(g_value_get_object(value))));
      },
      &found);
  gst_iterator_free(iterator);
  return found;
}

}  // namespace

PeerWatch::PeerWatch(GstElement* webrtc) : webrtc_(webrtc), counts_(std::make_shared<Counts>()) {
  for (auto& nicesrc : FindElements(webrtc, "nicesrc")) {
    transports_.emplace_back(std::move(nicesrc));
    transports_.back().PollArrival();
  }
}

void PeerWatch::Begin(MediaPatience patience, std::function<void()> ask_keyframe) {
  ask_keyframe_ = std::move(ask_keyframe);
  const std::int64_t now_ns = MediaClock::MonotonicNs();
  const bool sends = PeerSends(webrtc_, "video") || PeerSends(webrtc_, "audio");
  silence_.emplace(now_ns);
  if (!sends) patience.first_media_ms = 0;
  media_.emplace(now_ns, patience);
  ReadDescriptions();
  CountPackets();
  // To get here, ICE and DTLS exchanged packets.
  for (auto& transport : transports_) arrivals_are_seen_ |= transport.PollArrival();
  dtls_decoders_ = FindElements(webrtc_, "dtlsdec");
  const auto rtpbin = ElementPtr::Adopt(gst_bin_get_by_name(GST_BIN(webrtc_), "rtpbin"));
  if (!rtpbin) return;
  GObject* rtp_session = nullptr;
  // Bundled: one session carries every track.
  g_signal_emit_by_name(rtpbin.get(), "get-internal-session", 0U, &rtp_session);
  rtp_session_ = ObjectPtr<GObject>::Adopt(rtp_session);
}

PeerWatch::~PeerWatch() {
  for (const auto& [pad, probe] : probes_) gst_pad_remove_probe(pad.get(), probe);
}

void PeerWatch::ReadDescriptions() {
  const Description local = ReadDescription(webrtc_, "local-description");
  const Description remote = ReadDescription(webrtc_, "remote-description");
  if (!local || !remote) return;
  credentials_.local_ufrag = FindAttribute(local->sdp, "ice-ufrag");
  credentials_.remote_ufrag = FindAttribute(remote->sdp, "ice-ufrag");
  credentials_.remote_password = FindAttribute(remote->sdp, "ice-pwd");
  credentials_.tie_breaker = (std::uint64_t{g_random_int()} << 32U) | g_random_int();
  for (guint i = 0; i < gst_sdp_message_medias_len(remote->sdp); ++i) {
    const GstSDPMedia* media = gst_sdp_message_get_media(remote->sdp, i);
    if (std::string_view(gst_sdp_media_get_media(media)) != "video") continue;
    for (guint j = 0; j < gst_sdp_media_formats_len(media); ++j) {
      const auto payload_type = g_ascii_strtoull(gst_sdp_media_get_format(media, j), nullptr, 10);
      if (payload_type >= counts_->is_video.size()) continue;
      const auto caps =
          CapsPtr::Adopt(gst_sdp_media_get_caps_from_media(media, static_cast<gint>(payload_type)));
      if (!caps || gst_caps_is_empty(caps.get()) == TRUE) continue;
      const GstStructure* format = gst_caps_get_structure(caps.get(), 0);
      counts_->is_video[payload_type] =
          !IsRepair(ToString(gst_structure_get_string(format, "encoding-name")));
    }
  }
}

void PeerWatch::CountPackets() {
  for (const auto& transport : transports_) {
    const auto pad = PadPtr::Adopt(gst_element_get_static_pad(transport.nicesrc(), "src"));
    const gulong probe =
        gst_pad_add_probe(pad.get(), kBuffers, OnPackets,
                          std::make_unique<SharedCounts>(counts_).release(), DeleteCounts);
    probes_.emplace_back(pad, probe);
  }
}

std::optional<MediaError> PeerWatch::Tick() {
  if (!silence_) return std::nullopt;
  const std::int64_t now_ns = MediaClock::MonotonicNs();
  ++ticks_;
  if (auto error = CheckDtls()) return error;
  if (auto error = CheckSilence(now_ns)) return error;
  return CheckMedia(now_ns);
}

std::optional<MediaError> PeerWatch::CheckDtls() const {
  for (const auto& decoder : dtls_decoders_) {
    const std::string state = EnumNick(decoder.get(), "connection-state");
    if (state == "closed" || state == "failed") {
      return MediaError(ErrorKind::kPeerLost,
                        state == "closed" ? "the master closed the connection (DTLS close_notify)"
                                          : "DTLS failed",
                        "webrtc");
    }
  }
  return std::nullopt;
}

std::optional<MediaError> PeerWatch::CheckSilence(std::int64_t now_ns) {
  const std::uint64_t packets = counts_->packets.load(std::memory_order_relaxed);
  const bool heard = std::exchange(packets_, packets) != packets;
  if (!heard || ticks_ % kTicksPerPoll == 0) {
    for (auto& transport : transports_) {
      if (!transport.PollArrival()) continue;
      arrivals_are_seen_ = true;
      silence_->OnHeard(now_ns);
    }
  }
  if (heard) silence_->OnHeard(now_ns);
  const PeerSilence::Decision decision = silence_->Tick(now_ns, arrivals_are_seen_);
  if (decision.gone) {
    return MediaError(ErrorKind::kPeerLost,
                      "ICE consent is lost: nothing came from the master for " +
                          std::to_string(silence_->SilentMs(now_ns)) +
                          " ms, neither media nor answers",
                      "webrtc");
  }
  if (decision.ask) AskForConsent();
  return std::nullopt;
}

void PeerWatch::AskForConsent() {
  if (credentials_.remote_password.empty()) return;
  StunTransactionId transaction{};
  for (auto& byte : transaction) byte = static_cast<std::uint8_t>(g_random_int());
  for (const auto& transport : transports_) {
    credentials_.controlling = transport.controlling();
    transport.Send(MakeConsentRequest(credentials_, transaction));
  }
}

void PeerWatch::AskForRoundTrip() {
  if (credentials_.remote_password.empty()) return;
  for (const auto& transport : transports_) {
    transport.ForEachSocket([this](int descriptor) { counts_->mark.PassAnswers(descriptor); });
    const std::uint64_t number = counts_->round_trip.With(
        [](RoundTrip& trip) { return trip.OnRequest(MediaClock::MonotonicNs()); });
    credentials_.controlling = transport.controlling();
    transport.Send(MakeConsentRequest(credentials_, counts_->mark.Transaction(number)));
  }
}

std::optional<MediaError> PeerWatch::CheckMedia(std::int64_t now_ns) {
  const PacketCounts packets{counts_->media.load(std::memory_order_relaxed),
                             counts_->video.load(std::memory_order_relaxed),
                             counts_->video_ssrc.load(std::memory_order_relaxed)};
  const MediaWatch::Decision decision = media_->Tick(now_ns, packets);
  if (decision.ask_keyframe) ask_keyframe_();
  std::optional<std::string> fault = decision.fault;
  if (ticks_ % kTicksPerSecond == 0) AskForRoundTrip();
  const std::optional<std::string> unsent = ReadSources(now_ns);
  if (!fault) fault = unsent;
  if (!fault) return std::nullopt;
  return MediaError(ErrorKind::kNoMedia, *fault, "webrtc");
}

std::optional<std::string> PeerWatch::ReadSources(std::int64_t now_ns) {
  const std::vector<RtpSource> sources = ReadRtpSources(rtp_session_.get());
  sums_.Update(sources);
  std::vector<SourceReport> reports;
  for (const auto& source : sources) {
    if (!source.has_report && !source.left) continue;
    // Packets that are sent again have a stream of their own, which ends with what got lost of it;
    // so does one that another took the place of. Neither is silence.
    if (!sums_.Carries(source.ssrc)) continue;
    const auto expected = static_cast<std::int64_t>(source.packets_received) + source.packets_lost;
    reports.push_back(
        {source.ssrc, source.packets_reported, source.packets_received, expected, source.left});
  }
  return media_->OnReports(now_ns, reports);
}

TransportStats PeerWatch::Stats() const {
  TransportStats stats;
  for (const auto& transport : transports_) {
    if (stats.pair.local.empty()) stats.pair = transport.pair();
  }
  stats.round_trip_ms = counts_->round_trip.With([](RoundTrip& trip) { return trip.ReadMs(); });
  stats.video = sums_.Read("video");
  stats.audio = sums_.Read("audio");
  return stats;
}

}  // namespace kvsbridge
