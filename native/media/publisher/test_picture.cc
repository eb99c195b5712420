#include "media/publisher/test_picture.h"

#include <gst/video/video.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

namespace kvsbridge {
namespace {

constexpr guint8 kWhite = 235;
constexpr guint8 kBlack = 16;

/// State of the counter that is burned into one stream of pictures.
struct Counter {
  std::uint32_t next = 0;
  GstClockTime interval = 0;
  GstClockTime shift = GST_CLOCK_TIME_NONE;  ///< of all pictures; none before the first
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

/// The frame that belongs there, not a later one that a busy machine sent in its place: flash and
/// tick would be apart at the source.
bool StandsAtSecond(GstClockTime pts, GstClockTime interval) {
  return (pts + interval / 2) % GST_SECOND < interval;
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
  const bool first = !GST_CLOCK_TIME_IS_VALID(counter->shift);
  // A live source counts from whenever its first picture was ready.
  if (first) counter->shift = GST_BUFFER_PTS(buffer) % counter->interval;
  GST_BUFFER_PTS(buffer) -= counter->shift;
  const bool flash = !first && StandsAtSecond(GST_BUFFER_PTS(buffer), counter->interval);
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

}  // namespace

void BurnCounterAt(GstPad* pad, unsigned frame_rate, std::uint32_t first) {
  auto counter = std::make_unique<Counter>();
  counter->next = first;
  counter->interval = GST_SECOND / frame_rate;
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, BurnCounter, counter.release(),
                    Delete<Counter>);
}

}  // namespace kvsbridge
