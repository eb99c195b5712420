#include "media/test_picture.h"

#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numbers>

namespace kvsbridge {
namespace {

constexpr guint8 kWhite = 235;
constexpr guint8 kBlack = 16;

constexpr double kLeftToneHz = 440;
/// Below what the recording analyzer takes for the tick, once both channels are mixed.
constexpr double kLeftToneAmplitude = 0.1 * 32'767;

/// State of the counter that is burned into one stream of pictures.
struct Counter {
  std::uint32_t next = 0;
  GstClockTime last_second = GST_CLOCK_TIME_NONE;
};

struct Tone {
  unsigned rate_hz = 0;
  std::uint64_t samples = 0;
};

template <typename T>
void Delete(gpointer data) {
  delete static_cast<T*>(data);
}

void FillSquare(guint8* luma, gint stride, unsigned index, guint8 value) {
  for (unsigned row = 0; row < kCounterSquare; ++row) {
    std::memset(luma + static_cast<std::size_t>(row) * static_cast<std::size_t>(stride) +
                    static_cast<std::size_t>(index) * kCounterSquare,
                value, kCounterSquare);
  }
}

bool HasRoom(const GstVideoFrame& frame) {
  return GST_VIDEO_FRAME_WIDTH(&frame) >= static_cast<int>((kCounterBits + 1) * kCounterSquare) &&
         GST_VIDEO_FRAME_HEIGHT(&frame) >= static_cast<int>(kCounterSquare);
}

// Runs on the streaming thread.
GstPadProbeReturn BurnCounter(GstPad* pad, GstPadProbeInfo* info, gpointer user_data) {
  auto* counter = static_cast<Counter*>(user_data);
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  info->data = buffer;
  const auto caps = CapsPtr::Adopt(gst_pad_get_current_caps(pad));
  GstVideoInfo video;
  GstVideoFrame frame;
  if (!caps || gst_video_info_from_caps(&video, caps.get()) == FALSE ||
      gst_video_frame_map(&frame, &video, buffer, GST_MAP_READWRITE) == FALSE) {
    return GST_PAD_PROBE_DROP;  // a picture without its number would break the count
  }
  const std::uint32_t number = counter->next++;
  const GstClockTime second = GST_BUFFER_PTS(buffer) / GST_SECOND;
  const bool flash = counter->last_second != GST_CLOCK_TIME_NONE && second != counter->last_second;
  counter->last_second = second;
  if (HasRoom(frame)) {
    auto* luma = static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
    const gint stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
    for (unsigned bit = 0; bit < kCounterBits; ++bit) {
      const bool one = ((number >> (kCounterBits - 1 - bit)) & 1U) != 0;
      FillSquare(luma, stride, bit, one ? kWhite : kBlack);
    }
    FillSquare(luma, stride, kCounterBits, flash ? kWhite : kBlack);
  }
  gst_video_frame_unmap(&frame);
  return GST_PAD_PROBE_OK;
}

// Runs on the streaming thread.
GstPadProbeReturn AddTone(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  auto* tone = static_cast<Tone*>(user_data);
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  info->data = buffer;
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_READWRITE) == FALSE) return GST_PAD_PROBE_OK;
  for (gsize i = 0; i + 4 <= map.size; i += 4) {
    const double phase =
        2 * std::numbers::pi * kLeftToneHz * static_cast<double>(tone->samples++) / tone->rate_hz;
    const double sum = static_cast<gint16>(GST_READ_UINT16_LE(map.data + i)) +
                       kLeftToneAmplitude * std::sin(phase);
    const auto left = static_cast<gint16>(std::clamp(sum, -32'768.0, 32'767.0));
    GST_WRITE_UINT16_LE(map.data + i, static_cast<guint16>(left));
  }
  gst_buffer_unmap(buffer, &map);
  return GST_PAD_PROBE_OK;
}

}  // namespace

void BurnCounterAt(GstPad* pad, std::uint32_t first) {
  auto counter = std::make_unique<Counter>();
  counter->next = first;
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, BurnCounter, counter.release(),
                    Delete<Counter>);
}

void AddLeftToneAt(GstPad* pad, unsigned rate_hz) {
  auto tone = std::make_unique<Tone>();
  tone->rate_hz = rate_hz;
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, AddTone, tone.release(), Delete<Tone>);
}

}  // namespace kvsbridge
