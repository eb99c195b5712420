#include "fake_kvs_element.h"

#include <gst/gst.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "event_log.h"
#include "glib/ptr.h"

namespace kvsbridge::testing {
namespace {

struct Control {
  std::mutex mutex;  ///< guards what follows
  std::condition_variable changed;
  FakeKvsElement::Faults faults;
  int alive = 0;
  int frames = 0;
  std::vector<TakenFrame> taken;
  std::vector<std::string> caps;
  std::vector<std::string> tags;
  ElementPtr newest;
};

Control& Shared() {
  static auto& control = *new Control;  // outlives threads that a test leaves behind
  return control;
}

/// `FragmentAck` of the SDK, as native/media/sinks/kvs_element.cc reads it.
struct Ack {
  std::uint32_t version;
  std::int32_t type;
  std::uint64_t timestamp;
  std::array<char, 129> number;
  std::int32_t result;
};

struct FakeElement {
  GstElement parent;
};
struct FakeElementClass {
  GstElementClass parent;
};

G_DEFINE_TYPE(FakeElement, fake_kvs, GST_TYPE_ELEMENT)

GstStaticPadTemplate video_template = GST_STATIC_PAD_TEMPLATE(
    "video_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS("video/x-h264; video/x-h265"));
GstStaticPadTemplate audio_template =
    GST_STATIC_PAD_TEMPLATE("audio_%u", GST_PAD_SINK, GST_PAD_REQUEST,
                            GST_STATIC_CAPS("audio/mpeg; audio/x-alaw; audio/x-mulaw"));

/// @return whether the element takes this frame
GstFlowReturn Take(GstElement* element, TakenFrame frame) {
  Control& control = Shared();
  std::unique_lock<std::mutex> lock(control.mutex);
  const int index = control.frames++;
  const bool failed = control.faults.fail_at_frame >= 0 && index >= control.faults.fail_at_frame;
  if (!failed && index != control.faults.refuse_frame) {
    frame.tags = std::exchange(control.tags, {});
    control.taken.push_back(std::move(frame));
    control.changed.notify_all();
    return GST_FLOW_OK;
  }
  lock.unlock();
  if (failed) {
    GST_ELEMENT_ERROR(element, STREAM, FAILED, (nullptr), ("the stream failed: 0x52000065"));
    return GST_FLOW_ERROR;
  }
  GST_ELEMENT_WARNING(element, STREAM, FAILED, (nullptr), ("put frame error: 0x3200000c"));
  return GST_FLOW_OK;
}

GstFlowReturn Chain(GstPad* pad, GstObject* parent, GstBuffer* raw_buffer) {
  const auto buffer = BufferPtr::Adopt(raw_buffer);
  // The real one drops these without a word.
  if (GST_BUFFER_FLAG_IS_SET(raw_buffer, GST_BUFFER_FLAG_DECODE_ONLY)) return GST_FLOW_OK;
  TakenFrame frame;
  frame.video = g_str_has_prefix(GST_PAD_NAME(pad), "video") != FALSE;
  frame.pts_ns = static_cast<std::int64_t>(GST_BUFFER_PTS(raw_buffer));
  frame.dts_ns = static_cast<std::int64_t>(GST_BUFFER_DTS(raw_buffer));
  frame.delta = GST_BUFFER_FLAG_IS_SET(raw_buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  frame.discont = GST_BUFFER_FLAG_IS_SET(raw_buffer, GST_BUFFER_FLAG_DISCONT);
  return Take(GST_ELEMENT_CAST(parent), std::move(frame));
}

gboolean HandleEvent(GstPad* pad, GstObject* parent, GstEvent* event) {
  const GstStructure* structure = gst_event_get_structure(event);
  if (structure != nullptr && gst_structure_has_name(structure, "kvs-add-metadata") != FALSE) {
    const std::lock_guard<std::mutex> lock(Shared().mutex);
    Shared().tags.push_back(std::string(gst_structure_get_string(structure, "name")) + "=" +
                            gst_structure_get_string(structure, "value"));
  }
  return gst_pad_event_default(pad, parent, event);
}

GstPad* RequestPad(GstElement* element, GstPadTemplate* pad_template, const gchar* /*name*/,
                   const GstCaps* /*caps*/) {
  const bool video = g_str_has_prefix(GST_PAD_TEMPLATE_NAME_TEMPLATE(pad_template), "video");
  GstPad* pad = gst_pad_new_from_template(pad_template, video ? "video_0" : "audio_0");
  gst_pad_set_chain_function(pad, Chain);
  gst_pad_set_event_function(pad, HandleEvent);
  gst_element_add_pad(element, pad);
  return pad;
}

void ReadCaps(GstElement* element, std::vector<std::string>& caps) {
  for (const GList* pad = element->sinkpads; pad != nullptr; pad = pad->next) {
    const auto allowed = CapsPtr::Adopt(gst_pad_get_allowed_caps(GST_PAD_CAST(pad->data)));
    const GCharPtr text(gst_caps_to_string(allowed.get()));
    caps.emplace_back(text.get());
  }
}

GstStateChangeReturn ChangeState(GstElement* element, GstStateChange change) {
  Control& control = Shared();
  if (change == GST_STATE_CHANGE_NULL_TO_READY) {
    std::unique_lock<std::mutex> lock(control.mutex);
    ReadCaps(element, control.caps);
    control.newest = ElementPtr::Share(element);
    ++control.alive;
    control.changed.notify_all();
    control.changed.wait(lock, [&control] { return !control.faults.hang_while_connecting; });
    if (control.faults.refuse_to_connect) {
      --control.alive;
      lock.unlock();
      GST_ELEMENT_ERROR(element, LIBRARY, INIT, (nullptr), ("no such stream: 0x52000010"));
      return GST_STATE_CHANGE_FAILURE;
    }
  }
  const auto result = GST_ELEMENT_CLASS(fake_kvs_parent_class)->change_state(element, change);
  std::unique_lock<std::mutex> lock(control.mutex);
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) {
    control.changed.wait(lock, [&control] { return !control.faults.hang_while_stopping; });
  } else if (change == GST_STATE_CHANGE_READY_TO_NULL) {
    --control.alive;
    control.changed.notify_all();
  }
  return result;
}

void IgnoreProperty(GObject* /*object*/, guint /*id*/, const GValue* /*value*/,
                    GParamSpec* /*spec*/) {}

void fake_kvs_class_init(FakeElementClass* type) {
  auto* object = G_OBJECT_CLASS(type);
  object->set_property = IgnoreProperty;
  guint id = 1;
  for (const char* name : {"stream-name", "aws-region", "credential-path", "log-config"}) {
    g_object_class_install_property(
        object, id++, g_param_spec_string(name, name, name, nullptr, G_PARAM_WRITABLE));
  }
  for (const char* name : {"retention-period", "storage-size", "stop-stream-timeout"}) {
    g_object_class_install_property(
        object, id++, g_param_spec_uint(name, name, name, 0, G_MAXUINT, 0, G_PARAM_WRITABLE));
  }
  for (const char* name : {"allow-create-stream", "use-original-pts", "disable-buffer-clipping"}) {
    g_object_class_install_property(
        object, id++, g_param_spec_boolean(name, name, name, FALSE, G_PARAM_WRITABLE));
  }
  g_signal_new("fragment-ack", G_TYPE_FROM_CLASS(type), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr,
               nullptr, G_TYPE_NONE, 1, G_TYPE_POINTER);
  g_signal_new("stream-error", G_TYPE_FROM_CLASS(type), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr,
               nullptr, G_TYPE_NONE, 1, G_TYPE_UINT64);
  auto* element = GST_ELEMENT_CLASS(type);
  element->request_new_pad = RequestPad;
  element->change_state = ChangeState;
  gst_element_class_add_static_pad_template(element, &video_template);
  gst_element_class_add_static_pad_template(element, &audio_template);
  gst_element_class_set_static_metadata(element, "kvssink", "Sink", "Stand-in", "kvs-bridge");
}

void fake_kvs_init(FakeElement* element) {
  // As every sink: EOS and state changes of the pipeline wait for it.
  GST_OBJECT_FLAG_SET(element, GST_ELEMENT_FLAG_SINK);
}

ElementPtr Newest() {
  const std::lock_guard<std::mutex> lock(Shared().mutex);
  return Shared().newest;
}

}  // namespace

void FakeKvsElement::Install() {
  gst_element_register(nullptr, "kvssink", GST_RANK_NONE, fake_kvs_get_type());
  Release();
  const std::lock_guard<std::mutex> lock(Shared().mutex);
  Shared().frames = 0;
  Shared().taken.clear();
  Shared().caps.clear();
  Shared().tags.clear();
}

void FakeKvsElement::Set(const Faults& faults) {
  const std::lock_guard<std::mutex> lock(Shared().mutex);
  Shared().faults = faults;
}

void FakeKvsElement::Release() {
  ElementPtr newest;  // let go of outside of the lock
  const std::lock_guard<std::mutex> lock(Shared().mutex);
  newest = std::move(Shared().newest);
  Shared().faults = {};
  Shared().changed.notify_all();
}

void FakeKvsElement::Acknowledge(std::int32_t type, std::uint64_t timecode_ms, std::int32_t result,
                                 std::uint32_t version) {
  Ack ack = {version, type, timecode_ms, {'4', '2'}, result};
  g_signal_emit_by_name(Newest().get(), "fragment-ack", &ack);
}

void FakeKvsElement::FailStream(std::uint64_t status) {
  g_signal_emit_by_name(Newest().get(), "stream-error", status);
}

std::vector<TakenFrame> FakeKvsElement::taken() {
  const std::lock_guard<std::mutex> lock(Shared().mutex);
  return Shared().taken;
}

bool FakeKvsElement::WaitForTaken(std::size_t count) {
  std::unique_lock<std::mutex> lock(Shared().mutex);
  return Shared().changed.wait_for(lock, kPatience,
                                   [count] { return Shared().taken.size() >= count; });
}

std::vector<std::string> FakeKvsElement::caps() {
  const std::lock_guard<std::mutex> lock(Shared().mutex);
  return Shared().caps;
}

int FakeKvsElement::alive() {
  const std::lock_guard<std::mutex> lock(Shared().mutex);
  return Shared().alive;
}

bool FakeKvsElement::WaitUntilAlive(int count) {
  std::unique_lock<std::mutex> lock(Shared().mutex);
  return Shared().changed.wait_for(lock, kPatience, [count] { return Shared().alive == count; });
}

}  // namespace kvsbridge::testing
