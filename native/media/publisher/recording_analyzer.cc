#include "media/publisher/recording_analyzer.h"

#include <gst/app/gstappsink.h>
#include <gst/audio/audio.h>
#include <gst/video/video.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <span>
#include <vector>

#include "glib/ptr.h"
#include "media/aac.h"
#include "media/gstreamer.h"
#include "media/media_error.h"
#include "media/publisher/test_picture.h"

namespace kvsbridge {
namespace {

constexpr guint8 kMidGrey = 126;
/// Loud enough to be the tone, quiet enough to be its first period.
constexpr float kTickLevel = 0.1F;
/// A tick lasts 50 ms of each second: what follows so much silence is the next one.
constexpr double kSilenceBeforeTickMs = 500;
constexpr double kPairWindowMs = 500;

double ToMs(GstClockTime time) {
  return static_cast<double>(time) / static_cast<double>(GST_MSECOND);
}

/// What one decoded stream showed. Belongs to its streaming thread until the pipeline is in NULL.
struct VideoFindings {
  std::uint64_t frames = 0;
  std::uint32_t first_counter = 0;
  std::uint32_t last_counter = 0;
  std::uint64_t missing = 0;
  std::uint64_t repeated = 0;
  double first_ms = 0;
  double last_ms = 0;
  double max_gap_ms = 0;
  std::vector<double> flashes_ms;
};

struct AudioFindings {
  std::uint64_t packets = 0;
  double first_packet_ms = 0;
  std::uint64_t samples = 0;
  double first_sample_ms = 0;
  int rate = 0;
  double last_loud_ms = -std::numeric_limits<double>::infinity();
  std::vector<double> ticks_ms;
};

/// Whether the middle of a square is white: its rim suffers from the picture beside it.
bool IsWhite(const guint8* luma, int stride, unsigned square) {
  constexpr unsigned kRim = kCounterSquare / 4;
  unsigned sum = 0;
  unsigned count = 0;
  for (unsigned y = kRim; y < kCounterSquare - kRim; ++y) {
    const guint8* row = luma + static_cast<std::ptrdiff_t>(y) * stride;
    for (unsigned x = kRim; x < kCounterSquare - kRim; ++x, ++count) {
      sum += row[square * kCounterSquare + x];
    }
  }
  return sum > count * kMidGrey;
}

void AddFrame(VideoFindings& found, std::uint32_t counter, bool flash, double time_ms) {
  if (found.frames++ == 0) {
    found.first_counter = counter;
    found.first_ms = time_ms;
  } else {
    found.max_gap_ms = std::max(found.max_gap_ms, time_ms - found.last_ms);
    if (counter <= found.last_counter) {
      ++found.repeated;
    } else {
      found.missing += counter - found.last_counter - 1;
    }
  }
  found.last_counter = counter;
  found.last_ms = time_ms;
  if (flash) found.flashes_ms.push_back(time_ms);
}

void AddPicture(VideoFindings& found, GstSample* sample) {
  GstVideoInfo info;
  GstVideoFrame frame;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  if (gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) == FALSE ||
      GST_VIDEO_INFO_WIDTH(&info) < static_cast<int>((kCounterBits + 1) * kCounterSquare) ||
      GST_VIDEO_INFO_HEIGHT(&info) < static_cast<int>(kCounterSquare) ||
      gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ) == FALSE) {
    return;
  }
  const auto* luma = static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
  const int stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
  std::uint32_t counter = 0;
  for (unsigned bit = 0; bit < kCounterBits; ++bit) {
    counter = (counter << 1U) | (IsWhite(luma, stride, bit) ? 1U : 0U);
  }
  const bool flash = IsWhite(luma, stride, kCounterBits);
  gst_video_frame_unmap(&frame);
  AddFrame(found, counter, flash, ToMs(GST_BUFFER_PTS(buffer)));
}

void AddSound(AudioFindings& found, GstSample* sample) {
  GstAudioInfo info;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  const MappedBuffer mapped(buffer);
  if (gst_audio_info_from_caps(&info, gst_sample_get_caps(sample)) == FALSE ||
      mapped.data() == nullptr) {
    return;
  }
  const std::span samples(reinterpret_cast<const float*>(mapped.data()),
                          mapped.size() / sizeof(float));
  const double sample_ms = 1000.0 / GST_AUDIO_INFO_RATE(&info);
  const double start_ms = ToMs(GST_BUFFER_PTS(buffer));
  // Sound that is on when the stream begins is no onset.
  if (found.samples == 0) {
    found.first_sample_ms = start_ms;
    found.last_loud_ms = start_ms;
    found.rate = GST_AUDIO_INFO_RATE(&info);
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (std::fabs(samples[i]) < kTickLevel) continue;
    const double time_ms = start_ms + static_cast<double>(i) * sample_ms;
    if (time_ms - found.last_loud_ms > kSilenceBeforeTickMs) found.ticks_ms.push_back(time_ms);
    found.last_loud_ms = time_ms;
  }
  found.samples += samples.size();
}

/// How much too early the decoder stamped its output: faad returns nothing for the first packet,
/// yet gives what it returns for the second the first one's timestamp.
double DecoderAdvanceMs(const AudioFindings& found) {
  const std::uint64_t expected = found.packets * kAacSamplesPerFrame;
  const bool stamped_as_first = std::fabs(found.first_sample_ms - found.first_packet_ms) < 1;
  if (found.rate == 0 || !stamped_as_first || found.samples >= expected) return 0;
  return static_cast<double>(expected - found.samples) * 1000.0 / found.rate;
}

/// Tick minus flash for each flash with a tick near it, the ticks being `advance_ms` too early.
std::vector<double> PairUp(const std::vector<double>& flashes, std::vector<double> ticks,
                           double advance_ms) {
  for (double& tick : ticks) tick += advance_ms;
  std::vector<double> skews;
  for (const double flash : flashes) {
    const auto nearest =
        std::min_element(ticks.begin(), ticks.end(), [flash](double left, double right) {
          return std::fabs(left - flash) < std::fabs(right - flash);
        });
    if (nearest == ticks.end() || std::fabs(*nearest - flash) > kPairWindowMs) continue;
    skews.push_back(*nearest - flash);
  }
  return skews;
}

RecordingAnalysis Summarize(const VideoFindings& video, const AudioFindings& audio) {
  RecordingAnalysis result;
  result.video_frames = video.frames;
  result.first_counter = video.first_counter;
  result.last_counter = video.last_counter;
  result.missing_counters = video.missing;
  result.repeated_counters = video.repeated;
  result.max_video_gap_ms = video.max_gap_ms;
  result.video_duration_ms = video.last_ms - video.first_ms;
  if (audio.rate > 0) {
    result.audio_duration_ms = static_cast<double>(audio.samples) * 1000.0 / audio.rate;
  }
  std::vector<double> skews = PairUp(video.flashes_ms, audio.ticks_ms, DecoderAdvanceMs(audio));
  result.av_pairs = skews.size();
  if (skews.empty()) return result;
  std::sort(skews.begin(), skews.end());
  result.av_skew_ms = skews[skews.size() / 2];
  result.av_skew_worst_ms =
      std::fabs(skews.front()) > std::fabs(skews.back()) ? skews.front() : skews.back();
  return result;
}

/// The first of several decoders that is installed. @throws MediaError naming the first
const char* ChooseDecoder(std::initializer_list<const char*> factories) {
  for (const char* factory : factories) {
    if (HasElement(factory)) return factory;
  }
  RequireElements({*factories.begin()});
  return *factories.begin();
}

class Analyzer {
 public:
  explicit Analyzer(const std::string& path) {
    InitializeGStreamer();
    RequireElements({"filesrc", "matroskademux", "h264parse", "aacparse", "appsink"});
    pipeline_ = ElementPtr::Sink(gst_pipeline_new("analyzer"));
    const ElementPtr source = Add("filesrc", "source");
    const ElementPtr demux = Add("matroskademux", "demux");
    g_object_set(source.get(), "location", path.c_str(), nullptr);
    gst_element_link(source.get(), demux.get());
    video_head_ = AddBranch(
        "video", {"h264parse", ChooseDecoder({"openh264dec", "avdec_h264"}), "videoconvert"},
        "video/x-raw,format=I420", OnPicture);
    audio_head_ =
        AddBranch("audio", {"aacparse", ChooseDecoder({"faad", "avdec_aac"}), "audioconvert"},
                  "audio/x-raw,format=F32LE,channels=1,layout=interleaved", OnSound);
    const auto audio_pad = PadPtr::Adopt(gst_element_get_static_pad(audio_head_.get(), "src"));
    gst_pad_add_probe(audio_pad.get(), GST_PAD_PROBE_TYPE_BUFFER, OnAudioPacket, this, nullptr);
    g_signal_connect(demux.get(), "pad-added", G_CALLBACK(OnPad), this);
    g_signal_connect(demux.get(), "no-more-pads", G_CALLBACK(OnNoMorePads), this);
  }
  Analyzer(const Analyzer&) = delete;
  Analyzer& operator=(const Analyzer&) = delete;
  ~Analyzer() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  RecordingAnalysis Run(std::chrono::milliseconds stall_limit) {
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    WaitForEnd(stall_limit);
    // Joins the streaming threads: from here on their findings belong to this thread.
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    return Summarize(video_, audio_);
  }

 private:
  using OnSample = GstFlowReturn (*)(GstAppSink* sink, gpointer self);

  ElementPtr Add(const char* factory, const std::string& name) {
    ElementPtr element = MakeElement(factory, name);
    gst_bin_add(GST_BIN(pipeline_.get()), element.get());
    return element;
  }

  /// queue ! factories... ! appsink. @return the queue
  ElementPtr AddBranch(const std::string& name, std::initializer_list<const char*> factories,
                       const char* sink_caps, OnSample on_sample) {
    ElementPtr head = Add("queue", name + "-queue");
    // Bounded by bytes alone: interleaving differs from file to file.
    g_object_set(head.get(), "max-size-buffers", 0, "max-size-time", guint64{0}, nullptr);
    ElementPtr last = head;
    for (const char* factory : factories) {
      ElementPtr next = Add(factory, name + "-" + factory);
      gst_element_link(last.get(), next.get());
      last = next;
    }
    const ElementPtr sink = Add("appsink", name + "-sink");
    const auto caps = CapsPtr::Adopt(gst_caps_from_string(sink_caps));
    // Not async: a stream that the file lacks must not keep the pipeline from starting.
    g_object_set(sink.get(), "sync", FALSE, "async", FALSE, "max-buffers", 4, "caps", caps.get(),
                 nullptr);
    GstAppSinkCallbacks callbacks = {};
    callbacks.new_sample = on_sample;
    gst_app_sink_set_callbacks(GST_APP_SINK(sink.get()), &callbacks, this, nullptr);
    gst_element_link(last.get(), sink.get());
    return head;
  }

  // Streaming thread of the demuxer.
  static void OnPad(GstElement* /*demux*/, GstPad* pad, gpointer data) {
    auto* self = static_cast<Analyzer*>(data);
    const auto caps = CapsPtr::Adopt(gst_pad_get_current_caps(pad));
    if (!caps) return;
    const std::string name = gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
    const bool is_video = name == "video/x-h264";
    if (!is_video && name != "audio/mpeg") return;
    const ElementPtr& head = is_video ? self->video_head_ : self->audio_head_;
    const auto sink_pad = PadPtr::Adopt(gst_element_get_static_pad(head.get(), "sink"));
    if (gst_pad_is_linked(sink_pad.get()) == FALSE) gst_pad_link(pad, sink_pad.get());
  }

  // Streaming thread of the demuxer. A branch that got no pad would never see the end.
  static void OnNoMorePads(GstElement* /*demux*/, gpointer data) {
    auto* self = static_cast<Analyzer*>(data);
    for (const ElementPtr& head : {self->video_head_, self->audio_head_}) {
      const auto sink_pad = PadPtr::Adopt(gst_element_get_static_pad(head.get(), "sink"));
      if (gst_pad_is_linked(sink_pad.get()) != FALSE) continue;
      gst_pad_send_event(sink_pad.get(), gst_event_new_eos());
    }
  }

  // Streaming thread of the video branch.
  static GstFlowReturn OnPicture(GstAppSink* sink, gpointer data) {
    auto* self = static_cast<Analyzer*>(data);
    const auto sample = SamplePtr::Adopt(gst_app_sink_pull_sample(sink));
    if (sample) AddPicture(self->video_, sample.get());
    ++self->progress_;
    return GST_FLOW_OK;
  }

  // Streaming thread of the audio branch.
  static GstPadProbeReturn OnAudioPacket(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer data) {
    AudioFindings& audio = static_cast<Analyzer*>(data)->audio_;
    if (audio.packets++ == 0) {
      audio.first_packet_ms = ToMs(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)));
    }
    return GST_PAD_PROBE_OK;
  }

  // Streaming thread of the audio branch.
  static GstFlowReturn OnSound(GstAppSink* sink, gpointer data) {
    auto* self = static_cast<Analyzer*>(data);
    const auto sample = SamplePtr::Adopt(gst_app_sink_pull_sample(sink));
    if (sample) AddSound(self->audio_, sample.get());
    ++self->progress_;
    return GST_FLOW_OK;
  }

  void WaitForEnd(std::chrono::milliseconds stall_limit) {
    const auto bus = ObjectPtr<GstBus>::Adopt(gst_element_get_bus(pipeline_.get()));
    std::uint64_t seen = 0;
    for (;;) {
      const auto message = MessagePtr::Adopt(gst_bus_timed_pop_filtered(
          bus.get(), static_cast<GstClockTime>(stall_limit.count()) * GST_MSECOND,
          static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
      if (!message) {
        const std::uint64_t progress = progress_.load();
        if (progress == seen) {
          throw MediaError(ErrorKind::kMedia, "the recording cannot be decoded: nothing moves");
        }
        seen = progress;
        continue;
      }
      if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return;
      GError* raw_error = nullptr;
      gchar* raw_debug = nullptr;
      gst_message_parse_error(message.get(), &raw_error, &raw_debug);
      const GErrorPtr error(raw_error);
      const GCharPtr debug(raw_debug);
      throw MediaError(ErrorKind::kMedia,
                       std::string("the recording cannot be decoded: ") + error->message,
                       ToString(GST_MESSAGE_SRC_NAME(message.get())), ToString(debug.get()));
    }
  }

  ElementPtr pipeline_;
  ElementPtr video_head_;
  ElementPtr audio_head_;
  VideoFindings video_;
  AudioFindings audio_;
  std::atomic<std::uint64_t> progress_ = 0;
};

}  // namespace

RecordingAnalysis AnalyzeRecording(const std::string& path, std::chrono::milliseconds stall_limit) {
  return Analyzer(path).Run(stall_limit);
}

}  // namespace kvsbridge
