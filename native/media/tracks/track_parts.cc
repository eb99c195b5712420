#include "media/tracks/track_parts.h"

#include <gst/app/gstappsink.h>

#include <utility>

#include "media/gstreamer.h"

namespace kvsbridge {
namespace {

// Runs on the streaming thread.
GstFlowReturn OnNewSample(GstAppSink* sink, gpointer user_data) {
  auto sample = SamplePtr::Adopt(gst_app_sink_pull_sample(sink));
  if (!sample) return GST_FLOW_EOS;
  const GstBuffer* buffer = gst_sample_get_buffer(sample.get());
  const GstSegment* segment = gst_sample_get_segment(sample.get());
  if (buffer == nullptr || segment == nullptr || !GST_BUFFER_PTS_IS_VALID(buffer)) {
    return GST_FLOW_OK;
  }
  // Encoder delay can put the first audio frame before the segment: it has no running time.
  const GstClockTime running_time =
      gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (!GST_CLOCK_TIME_IS_VALID(running_time)) return GST_FLOW_OK;
  static_cast<TrackHandlers*>(user_data)->on_sample({std::move(sample), running_time});
  return GST_FLOW_OK;
}

// Runs on the streaming thread.
void OnEos(GstAppSink* /*sink*/, gpointer user_data) {
  static_cast<TrackHandlers*>(user_data)->on_eos();
}

void DeleteHandlers(gpointer data) { delete static_cast<TrackHandlers*>(data); }

}  // namespace

ElementPtr MakeTrackSink(const std::string& name, const char* caps_text, TrackHandlers handlers) {
  auto element = MakeElement("appsink", name);
  auto* sink = GST_APP_SINK(element.get());
  const auto caps = CapsPtr::Adopt(gst_caps_from_string(caps_text));
  gst_app_sink_set_caps(sink, caps.get());
  // async=false: a sink without data must not hold the pipeline's state change back.
  g_object_set(sink, "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, nullptr);
  GstAppSinkCallbacks callbacks = {};
  callbacks.eos = OnEos;
  callbacks.new_sample = OnNewSample;
  auto owned = std::make_unique<TrackHandlers>(std::move(handlers));
  gst_app_sink_set_callbacks(sink, &callbacks, owned.release(), DeleteHandlers);
  return element;
}

ElementPtr MakeCapsFilter(const std::string& name, const std::string& caps_text) {
  auto element = MakeElement("capsfilter", name);
  const auto caps = CapsPtr::Adopt(gst_caps_from_string(caps_text.c_str()));
  g_object_set(element.get(), "caps", caps.get(), nullptr);
  return element;
}

bool HasProperty(GstElement* element, const char* property) {
  return g_object_class_find_property(G_OBJECT_GET_CLASS(element), property) != nullptr;
}

void SetFlagIfKnown(GstElement* element, const char* property, bool value) {
  if (HasProperty(element, property)) {
    g_object_set(element, property, value ? TRUE : FALSE, nullptr);
  }
}

}  // namespace kvsbridge
