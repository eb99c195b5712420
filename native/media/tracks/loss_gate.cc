#include "media/tracks/loss_gate.h"

#include <gst/rtp/rtp.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace kvsbridge {
namespace {

constexpr const char* kEventName = "kvsb-loss";
constexpr const char* kBroken = "broken";    ///< PTS of the frame that packets are missing from
constexpr const char* kGap = "gap";          ///< whether anything is missing before it
constexpr const char* kMissing = "missing";  ///< packets, unless that is told already
constexpr gint64 kKeyframeRetryUs = 500'000;
/// Frames that were broken and have not come; parsers hold back far fewer.
constexpr std::size_t kMaxBroken = 16;

constexpr auto kBuffers =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);

template <typename T>
void Delete(gpointer data) {
  delete static_cast<T*>(data);
}

/// At the packets' pad. Streaming thread only.
struct Watch {
  struct Packet {
    std::uint32_t ssrc = 0;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint8_t payload_type = 0;
    bool marker = false;
    GstClockTime pts = GST_CLOCK_TIME_NONE;
    FrameStart start = FrameStart::kNo;
  };

  std::string codec;
  std::optional<Packet> last;
  bool starts_are_marked = false;  ///< seen once: then what has no mark lacks it
};

Watch::Packet ReadPacket(GstBuffer* buffer, GstRTPBuffer& rtp, const std::string& codec) {
  const auto* payload = static_cast<const std::uint8_t*>(gst_rtp_buffer_get_payload(&rtp));
  return {gst_rtp_buffer_get_ssrc(&rtp),
          gst_rtp_buffer_get_seq(&rtp),
          gst_rtp_buffer_get_timestamp(&rtp),
          gst_rtp_buffer_get_payload_type(&rtp),
          gst_rtp_buffer_get_marker(&rtp) == TRUE,
          GST_BUFFER_PTS(buffer),
          ReadFrameStart(codec, payload, gst_rtp_buffer_get_payload_len(&rtp))};
}

void Announce(GstPad* pad, GstClockTime broken, bool gap, unsigned missing) {
  gst_pad_push_event(
      pad, gst_event_new_custom(
               GST_EVENT_CUSTOM_DOWNSTREAM,
               gst_structure_new(kEventName, kBroken, G_TYPE_UINT64, broken, kGap, G_TYPE_BOOLEAN,
                                 gap ? TRUE : FALSE, kMissing, G_TYPE_UINT, missing, nullptr)));
}

/// Packets between two that follow each other; none when the later one is older.
unsigned CountMissing(std::uint16_t before, std::uint16_t after) {
  constexpr unsigned kHalf = 1U << 15U;
  const auto distance = static_cast<std::uint16_t>(after - before);
  return distance == 0 || distance >= kHalf ? 0 : distance - 1;
}

/// Gives the frame that a gap broke off its last packet, in place of the first one lost. Otherwise
/// the depayloader holds on to what it has, gives it out with the next frame, and stamps it with
/// that frame's time.
void CompleteFrame(GstPad* pad, const Watch::Packet& broken_off, const std::string& codec) {
  const auto filler = FillerPayload(codec);
  const auto peer = PadPtr::Adopt(gst_pad_get_peer(pad));
  if (filler.empty() || !peer) return;
  auto buffer =
      BufferPtr::Adopt(gst_rtp_buffer_new_allocate(static_cast<guint>(filler.size()), 0, 0));
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  if (gst_rtp_buffer_map(buffer.get(), GST_MAP_WRITE, &rtp) == FALSE) return;
  gst_rtp_buffer_set_ssrc(&rtp, broken_off.ssrc);
  gst_rtp_buffer_set_seq(&rtp, static_cast<guint16>(broken_off.sequence + 1));
  gst_rtp_buffer_set_timestamp(&rtp, broken_off.timestamp);
  gst_rtp_buffer_set_payload_type(&rtp, broken_off.payload_type);
  gst_rtp_buffer_set_marker(&rtp, TRUE);
  std::copy(filler.begin(), filler.end(),
            static_cast<std::uint8_t*>(gst_rtp_buffer_get_payload(&rtp)));
  gst_rtp_buffer_unmap(&rtp);
  GST_BUFFER_PTS(buffer.get()) = broken_off.pts;
  gst_pad_chain(peer.get(), buffer.release());
}

void LookAt(Watch& watch, GstPad* pad, GstBuffer* buffer) {
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  if (gst_rtp_buffer_map(buffer, GST_MAP_READ, &rtp) == FALSE) return;
  const Watch::Packet packet = ReadPacket(buffer, rtp, watch.codec);
  gst_rtp_buffer_unmap(&rtp);

  const auto before = std::exchange(watch.last, packet);
  const bool gap = before && packet.sequence != static_cast<std::uint16_t>(before->sequence + 1);
  if (gap || !before) {
    if (gap && !before->marker) {
      Announce(pad, before->pts, true, 0);
      CompleteFrame(pad, *before, watch.codec);
    }
    const bool whole = packet.start == FrameStart::kMarked ||
                       (packet.start == FrameStart::kBare && !watch.starts_are_marked);
    const unsigned missing = gap ? CountMissing(before->sequence, packet.sequence) : 0;
    if (gap || !whole) Announce(pad, whole ? GST_CLOCK_TIME_NONE : packet.pts, gap, missing);
  }
  if (packet.start == FrameStart::kMarked) watch.starts_are_marked = true;
}

// Runs on the jitter buffer's streaming thread.
GstPadProbeReturn OnPackets(GstPad* pad, GstPadProbeInfo* info, gpointer user_data) {
  auto* watch = static_cast<Watch*>(user_data);
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    LookAt(*watch, pad, GST_PAD_PROBE_INFO_BUFFER(info));
    return GST_PAD_PROBE_OK;
  }
  // A gap inside a list would be announced before the whole list; webrtcbin pushes none.
  GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
  for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
    LookAt(*watch, pad, gst_buffer_list_get(list, i));
  }
  return GST_PAD_PROBE_OK;
}

/// At the frames' pad. Streaming thread only.
class Gate {
 public:
  Gate(KeyframeTest is_keyframe, LossGate::Handlers handlers)
      : is_keyframe_(is_keyframe), handlers_(std::move(handlers)) {}

  GstPadProbeReturn OnEvent(GstEvent* event) {
    if (gst_event_has_name(event, kEventName) == FALSE) return GST_PAD_PROBE_OK;
    const GstStructure* loss = gst_event_get_structure(event);
    guint64 broken = GST_CLOCK_TIME_NONE;
    gboolean gap = FALSE;
    gst_structure_get_uint64(loss, kBroken, &broken);
    gst_structure_get_boolean(loss, kGap, &gap);
    guint missing = 0;
    gst_structure_get_uint(loss, kMissing, &missing);
    if (missing != 0) handlers_.on_lost(missing);
    if (GST_CLOCK_TIME_IS_VALID(broken)) {
      broken_.push_back(broken);
      if (broken_.size() > kMaxBroken) broken_.pop_front();
    }
    if (gap == TRUE) closed_ = true;
    RequestKeyframe();
    return GST_PAD_PROBE_DROP;
  }

  GstPadProbeReturn OnFrame(GstBuffer* frame) {
    const auto broken = std::find(broken_.begin(), broken_.end(), GST_BUFFER_PTS(frame));
    if (broken != broken_.end()) {
      // It may come in several pieces: stays listed until others push it out.
      closed_ = true;
      if (is_keyframe_(frame)) asked_at_us_ = 0;  // what was asked for came, and in vain
    } else if (!closed_) {
      return GST_PAD_PROBE_OK;
    } else if (GST_BUFFER_PTS_IS_VALID(frame) && is_keyframe_(frame)) {
      closed_ = false;
      asked_at_us_ = 0;
      return GST_PAD_PROBE_OK;
    }
    // A frame in pieces is one frame; parsers leave the later pieces without a time.
    if (!GST_BUFFER_PTS_IS_VALID(frame)) return GST_PAD_PROBE_DROP;
    if (std::exchange(last_dropped_, GST_BUFFER_PTS(frame)) != GST_BUFFER_PTS(frame)) {
      handlers_.on_dropped();
    }
    RequestKeyframe();
    return GST_PAD_PROBE_DROP;
  }

 private:
  void RequestKeyframe() {
    const gint64 now_us = g_get_monotonic_time();
    if (asked_at_us_ != 0 && now_us - asked_at_us_ < kKeyframeRetryUs) return;
    asked_at_us_ = now_us;
    handlers_.request_keyframe();
  }

  const KeyframeTest is_keyframe_;
  const LossGate::Handlers handlers_;
  std::deque<GstClockTime> broken_;
  GstClockTime last_dropped_ = GST_CLOCK_TIME_NONE;
  gint64 asked_at_us_ = 0;
  bool closed_ = false;
};

// Runs on a streaming thread.
GstPadProbeReturn OnFrames(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  auto* gate = static_cast<Gate*>(user_data);
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    return gate->OnFrame(GST_PAD_PROBE_INFO_BUFFER(info));
  }
  return gate->OnEvent(GST_PAD_PROBE_INFO_EVENT(info));
}

}  // namespace

void LossGate::Install(GstPad* packets, GstPad* frames, const std::string& codec,
                       KeyframeTest is_keyframe, Handlers handlers) {
  gst_pad_add_probe(packets, kBuffers, OnPackets,
                    std::make_unique<Watch>(Watch{codec, std::nullopt, false}).release(),
                    Delete<Watch>);
  gst_pad_add_probe(
      frames,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      OnFrames, std::make_unique<Gate>(is_keyframe, std::move(handlers)).release(), Delete<Gate>);
}

}  // namespace kvsbridge
