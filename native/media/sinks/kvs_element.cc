#include "media/sinks/kvs_element.h"

#include <gst/app/gstappsrc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>

#include "media/bus_error.h"
#include "media/gstreamer.h"
#include "media/sinks/kvs_caps.h"

namespace kvsbridge {
namespace {

/// Everything that would make kvssink drop a frame or begin a fragment.
constexpr guint kForeignFlags =
    GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_RESYNC | GST_BUFFER_FLAG_CORRUPTED |
    GST_BUFFER_FLAG_MARKER | GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_GAP |
    GST_BUFFER_FLAG_DROPPABLE | GST_BUFFER_FLAG_DELTA_UNIT | GST_BUFFER_FLAG_DECODE_ONLY;

/// kvssink drops what carries it, and needs it: it takes a track's last frame only when all other
/// tracks offer something later or are at EOS, and EOS of one track ends the fragment for all.
constexpr GstBufferFlags kEndMark = GST_BUFFER_FLAG_DECODE_ONLY;

/// `FragmentAck` of PIC 1.x (client/Include.h), the argument of the `fragment-ack` signal.
struct FragmentAckAbi {
  std::uint32_t version;
  std::int32_t type;
  std::uint64_t timestamp;
  std::array<char, 129> sequence_number;
  std::int32_t result;
};

constexpr std::uint32_t kFragmentAckVersion = 0;

}  // namespace

/// What callbacks of other threads need; outlives the element for as long as one may run.
struct KvsElement::Signals {
  KvsElementHandlers handlers;
  std::atomic<int> tracks_open = 0;

  static void OnAck(GstElement* /*sink*/, gpointer argument, gpointer user_data) {
    const auto* ack = static_cast<const FragmentAckAbi*>(argument);
    if (ack == nullptr || ack->version != kFragmentAckVersion) return;
    KvsAck copy;
    switch (ack->type) {
      case 1:
        copy.type = KvsAck::Type::kBuffering;
        break;
      case 2:
        copy.type = KvsAck::Type::kReceived;
        break;
      case 3:
        copy.type = KvsAck::Type::kPersisted;
        break;
      case 4:
        copy.type = KvsAck::Type::kError;
        copy.error_id = static_cast<unsigned>(ack->result);
        break;
      case 5:
        break;
      default:
        return;
    }
    copy.timecode_ms = static_cast<std::int64_t>(ack->timestamp);
    const auto& number = ack->sequence_number;
    copy.fragment_number.assign(number.data(), strnlen(number.data(), number.size()));
    Self(user_data).handlers.on_ack(std::move(copy));
  }

  static void OnStreamError(GstElement* /*sink*/, guint64 status, gpointer user_data) {
    // Emitted as 32 bits where 64 are expected: the upper half is whatever was there.
    Self(user_data).handlers.on_stream_error(static_cast<std::uint32_t>(status & 0xFFFFFFFFU));
  }

  static GstBusSyncReply OnMessage(GstBus* /*bus*/, GstMessage* message, gpointer user_data) {
    if (const auto report = ReadBusError(message)) {
      Self(user_data).handlers.on_message(report->fatal, report->message, report->debug);
    }
    gst_message_unref(message);
    return GST_BUS_DROP;
  }

  static GstPadProbeReturn OnBuffer(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
    GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    // appsrc marks its first buffer, and kvssink drops a keyframe that is so marked.
    GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_DISCONT);
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    if (GST_BUFFER_FLAG_IS_SET(buffer, kEndMark) && --Self(user_data).tracks_open == 0) {
      Self(user_data).handlers.on_drained();
    }
    return GST_PAD_PROBE_OK;
  }

  static gpointer Hold(const std::shared_ptr<Signals>& signals) {
    return std::make_unique<std::shared_ptr<Signals>>(signals).release();
  }
  static void LetGo(gpointer held) { delete static_cast<std::shared_ptr<Signals>*>(held); }
  static void LetGoOfClosure(gpointer held, GClosure* /*closure*/) { LetGo(held); }
  static Signals& Self(gpointer held) { return **static_cast<std::shared_ptr<Signals>*>(held); }
};

KvsElement::KvsElement(const KvsSinkOptions& options, const Epoch& epoch,
                       KvsElementHandlers handlers)
    : signals_(std::make_shared<Signals>()),
      pipeline_(ElementPtr::Sink(gst_pipeline_new("kvssink-epoch"))),
      sink_(MakeElement("kvssink", "kvssink")) {
  signals_->handlers = std::move(handlers);
  // clang-format off
  g_object_set(sink_.get(),
      "stream-name", options.stream_name.c_str(),
      "aws-region", options.region.c_str(),
      "credential-path", options.credential_file.c_str(),
      "log-config", options.log_config_file.c_str(),
      "retention-period", options.retention_hours,
      "storage-size", options.storage_mib,
      "stop-stream-timeout", options.stop_timeout_s,
      "allow-create-stream", FALSE,
      // Together: timestamps are taken as they are, decode time for presentation time.
      "use-original-pts", TRUE,
      "disable-buffer-clipping", TRUE,
      nullptr);
  // clang-format on
  g_signal_connect_data(sink_.get(), "fragment-ack", G_CALLBACK(Signals::OnAck),
                        Signals::Hold(signals_), Signals::LetGoOfClosure, GConnectFlags{});
  g_signal_connect_data(sink_.get(), "stream-error", G_CALLBACK(Signals::OnStreamError),
                        Signals::Hold(signals_), Signals::LetGoOfClosure, GConnectFlags{});
  const auto bus = ObjectPtr<GstBus>::Adopt(gst_element_get_bus(pipeline_.get()));
  gst_bus_set_sync_handler(bus.get(), Signals::OnMessage, Signals::Hold(signals_), Signals::LetGo);
  gst_bin_add(GST_BIN(pipeline_.get()), sink_.get());
  if (epoch.video != nullptr) video_ = AddTrack("video", "video_%u", KvsVideoCaps(*epoch.video));
  if (epoch.audio != nullptr) audio_ = AddTrack("audio", "audio_%u", KvsAudioCaps(*epoch.audio));
}

KvsElement::~KvsElement() = default;

ElementPtr KvsElement::AddTrack(const char* name, const char* pad_template, const CapsPtr& caps) {
  auto source = MakeElement("appsrc", name);
  g_object_set(source.get(), "caps", caps.get(), "format", GST_FORMAT_TIME, "is-live", TRUE,
               "max-bytes", guint64{0}, nullptr);
  // kvssink asks for the codec before data flow, when appsrc does not tell its caps yet: without
  // the filter it takes every picture for H.264 and every sound for AAC.
  auto filter = MakeElement("capsfilter", std::string(name) + "-caps");
  g_object_set(filter.get(), "caps", caps.get(), nullptr);
  gst_bin_add_many(GST_BIN(pipeline_.get()), source.get(), filter.get(), nullptr);
  if (gst_element_link(source.get(), filter.get()) == FALSE) {
    throw MediaError(ErrorKind::kMedia, std::string("kvssink's ") + name + " cannot be linked");
  }
  const auto output = PadPtr::Adopt(gst_element_get_static_pad(filter.get(), "src"));
  gst_pad_add_probe(output.get(), GST_PAD_PROBE_TYPE_BUFFER, Signals::OnBuffer,
                    Signals::Hold(signals_), Signals::LetGo);
  const auto input = PadPtr::Adopt(gst_element_request_pad_simple(sink_.get(), pad_template));
  if (!input || GST_PAD_LINK_FAILED(gst_pad_link(output.get(), input.get()))) {
    throw MediaError(ErrorKind::kMedia, std::string("kvssink does not take this ") + name,
                     "kvssink");
  }
  ++signals_->tracks_open;
  return source;
}

bool KvsElement::SetState(GstState state) {
  return gst_element_set_state(pipeline_.get(), state) != GST_STATE_CHANGE_FAILURE;
}

void KvsElement::PushTags(const std::vector<FragmentTag>& tags) {
  for (const auto& tag : tags) {
    gst_element_send_event(
        video_.get(),
        gst_event_new_custom(
            GST_EVENT_CUSTOM_DOWNSTREAM,
            gst_structure_new("kvs-add-metadata", "name", G_TYPE_STRING, tag.name.c_str(), "value",
                              G_TYPE_STRING, tag.value.c_str(), "persist", G_TYPE_BOOLEAN, FALSE,
                              nullptr)));
  }
}

void KvsElement::PushVideo(const VideoFrame& frame, bool starts_fragment) {
  auto buffer = Stamp(frame.data.get(), frame.pts_ns, last_video_ns_);
  if (!starts_fragment) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  Push(video_.get(), std::move(buffer));
}

void KvsElement::PushAudio(const AudioFrame& frame) {
  Push(audio_.get(), Stamp(frame.data.get(), frame.pts_ns, last_audio_ns_));
}

void KvsElement::PushEnd() {
  const std::int64_t end_ns = std::max(last_video_ns_, last_audio_ns_) + kNsPerMs;
  for (const auto& source : {video_, audio_}) {
    if (!source) continue;
    auto mark = BufferPtr::Adopt(gst_buffer_new_allocate(nullptr, 1, nullptr));
    gst_buffer_memset(mark.get(), 0, 0, 1);
    GST_BUFFER_PTS(mark.get()) = static_cast<GstClockTime>(end_ns);
    GST_BUFFER_DTS(mark.get()) = static_cast<GstClockTime>(end_ns);
    GST_BUFFER_FLAG_SET(mark.get(), kEndMark);
    Push(source.get(), std::move(mark));
  }
}

std::size_t KvsElement::queued_bytes() const {
  std::size_t bytes = 0;
  for (const auto& source : {video_, audio_}) {
    if (source) bytes += gst_app_src_get_current_level_bytes(GST_APP_SRC(source.get()));
  }
  return bytes;
}

void KvsElement::Push(GstElement* source, BufferPtr buffer) {
  gst_app_src_push_buffer(GST_APP_SRC(source), buffer.release());
}

BufferPtr KvsElement::Stamp(GstBuffer* data, std::int64_t pts_ns, std::int64_t& last_ns) {
  // Metadata only; the bytes are shared.
  auto copy = BufferPtr::Adopt(gst_buffer_copy(data));
  // kvssink refuses a frame whose time lies before that of the one before.
  last_ns = std::max(last_ns, pts_ns);
  GST_BUFFER_PTS(copy.get()) = static_cast<GstClockTime>(last_ns);
  GST_BUFFER_DTS(copy.get()) = static_cast<GstClockTime>(last_ns);
  GST_BUFFER_FLAG_UNSET(copy.get(), kForeignFlags);
  return copy;
}

}  // namespace kvsbridge
