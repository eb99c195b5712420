#include "media/tracks/unparsed_frames.h"

#include <gst/rtp/gstrtpbuffer.h>

#include <memory>
#include <utility>

namespace kvsbridge {
namespace {

/// Packets and frames pass on one streaming thread: there is no queue between the two pads.
struct Watch {
  std::function<void()> on_swallowed;
  bool pending = false;  ///< a whole frame went in, and may yet come out
  bool started = false;
};

using WatchPtr = std::shared_ptr<Watch>;

bool EndsFrame(GstBuffer* buffer) {
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  if (gst_rtp_buffer_map(buffer, GST_MAP_READ, &rtp) == FALSE) return false;
  const bool marker = gst_rtp_buffer_get_marker(&rtp) == TRUE;
  gst_rtp_buffer_unmap(&rtp);
  return marker;
}

void OnPacketBuffer(Watch& watch, GstBuffer* buffer) {
  if (!EndsFrame(buffer)) return;
  if (std::exchange(watch.pending, true)) watch.on_swallowed();
}

GstPadProbeReturn OnPacket(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  Watch& watch = **static_cast<WatchPtr*>(user_data);
  if (watch.started) return GST_PAD_PROBE_REMOVE;
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    OnPacketBuffer(watch, GST_PAD_PROBE_INFO_BUFFER(info));
    return GST_PAD_PROBE_OK;
  }
  GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
  for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
    OnPacketBuffer(watch, gst_buffer_list_get(list, i));
  }
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn OnFrame(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  Watch& watch = **static_cast<WatchPtr*>(user_data);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) != 0) {
    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS) return GST_PAD_PROBE_OK;
    // Nothing followed that would have pushed it out.
    if (std::exchange(watch.pending, false)) watch.on_swallowed();
  }
  watch.started = true;
  return GST_PAD_PROBE_REMOVE;
}

void LetGo(gpointer held) { delete static_cast<WatchPtr*>(held); }

}  // namespace

void WatchUnparsedFrames(GstPad* packets, GstPad* frames, std::function<void()> on_swallowed) {
  const auto watch = std::make_shared<Watch>();
  watch->on_swallowed = std::move(on_swallowed);
  constexpr auto kBuffers =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
  gst_pad_add_probe(packets, kBuffers, OnPacket, std::make_unique<WatchPtr>(watch).release(),
                    LetGo);
  gst_pad_add_probe(frames,
                    static_cast<GstPadProbeType>(kBuffers | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
                    OnFrame, std::make_unique<WatchPtr>(watch).release(), LetGo);
}

}  // namespace kvsbridge
