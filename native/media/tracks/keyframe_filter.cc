#include "media/tracks/keyframe_filter.h"

#include <gst/video/video.h>

#include <memory>
#include <utility>

#include "glib/loop_thread.h"

namespace kvsbridge {
namespace {

constexpr gint64 kShortestPauseUs = 500'000;

struct Filter {
  std::function<void()> on_request;
  Guarded<gint64> told_at_us;  ///< 0: never; parsers and decoders have threads of their own
};

// Runs on the streaming thread of the element that asks.
GstPadProbeReturn OnUpstreamEvent(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  if (gst_video_event_is_force_key_unit(GST_PAD_PROBE_INFO_EVENT(info)) == FALSE) {
    return GST_PAD_PROBE_OK;
  }
  auto* filter = static_cast<Filter*>(user_data);
  if (!filter->on_request) return GST_PAD_PROBE_DROP;
  const bool due = filter->told_at_us.With([](gint64& told_at_us) {
    const gint64 now_us = g_get_monotonic_time();
    if (told_at_us != 0 && now_us - told_at_us < kShortestPauseUs) return false;
    told_at_us = now_us;
    return true;
  });
  if (due) filter->on_request();
  return GST_PAD_PROBE_DROP;
}

}  // namespace

void StopKeyframeRequests(GstPad* pad, std::function<void()> on_request) {
  auto filter = std::make_unique<Filter>();
  filter->on_request = std::move(on_request);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, OnUpstreamEvent, filter.release(),
                    [](gpointer data) { delete static_cast<Filter*>(data); });
}

}  // namespace kvsbridge
