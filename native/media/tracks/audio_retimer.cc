#include "media/tracks/audio_retimer.h"

#include <gst/audio/audio.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "glib/loop_thread.h"

namespace kvsbridge {
namespace {

/// Less is jitter of the timestamps; a packet holds more.
constexpr GstClockTimeDiff kGapNs = 15 * GST_MSECOND;
/// Missing sound up to this is filled with silence, as in Opus DTX, so that the encoder's frames go
/// on without a hole. Longer silence comes from the recorder.
constexpr GstClockTimeDiff kMaxFillNs = 2 * GST_SECOND;
/// Buffers between the two pads; encoders hold back a few.
constexpr std::size_t kMaxShifts = 256;

/// From `from` (counted time) on, true time is `shift` later.
struct Shift {
  GstClockTime from = 0;
  GstClockTimeDiff shift = 0;
};

struct Retimer {
  std::deque<Shift> shifts;
  GstClockTime next = GST_CLOCK_TIME_NONE;  ///< where the next buffer begins, by the count
};

using SharedRetimer = std::shared_ptr<Guarded<Retimer>>;

/// How a buffer goes into the encoder.
struct Place {
  GstClockTime counted = 0;  ///< its time, or that of the silence before it
  GstClockTime silence = 0;  ///< duration of that
};

/// Places a buffer that begins at `pts`.
Place Count(Retimer& retimer, GstClockTime pts, GstClockTime duration) {
  Place place;
  if (!GST_CLOCK_TIME_IS_VALID(retimer.next)) retimer.next = pts;
  const auto shift = GST_CLOCK_DIFF(retimer.next, pts);
  const GstClockTimeDiff last = retimer.shifts.empty() ? 0 : retimer.shifts.back().shift;
  const GstClockTimeDiff gap = shift - last;
  if (gap > kMaxFillNs) {
    // Never back: what was counted already is not counted again.
    retimer.next = std::max(retimer.next, pts);
  } else if (gap > kGapNs) {
    place.silence = static_cast<GstClockTime>(gap);
  }
  place.counted = retimer.next;
  const GstClockTime begin = place.counted + place.silence;
  retimer.shifts.push_back({begin, GST_CLOCK_DIFF(begin, pts)});
  if (retimer.shifts.size() > kMaxShifts) retimer.shifts.pop_front();
  retimer.next = begin + duration;
  return place;
}

GstClockTime Restore(const Retimer& retimer, GstClockTime counted) {
  GstClockTimeDiff shift = retimer.shifts.empty() ? 0 : retimer.shifts.front().shift;
  for (const Shift& entry : retimer.shifts) {
    if (entry.from > counted) break;
    shift = entry.shift;
  }
  const GstClockTimeDiff restored = static_cast<GstClockTimeDiff>(counted) + shift;
  return static_cast<GstClockTime>(std::max<GstClockTimeDiff>(restored, 0));
}

GstBuffer* Silence(gsize bytes) {
  GstBuffer* silence = gst_buffer_new_allocate(nullptr, bytes, nullptr);
  gst_buffer_memset(silence, 0, 0, bytes);
  return silence;
}

// Runs on the streaming thread.
GstPadProbeReturn OnRaw(GstPad* pad, GstPadProbeInfo* info, gpointer user_data) {
  auto& retimer = **static_cast<SharedRetimer*>(user_data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  const auto caps = CapsPtr::Adopt(gst_pad_get_current_caps(pad));
  GstAudioInfo audio;
  if (!GST_BUFFER_PTS_IS_VALID(buffer) || !caps ||
      gst_audio_info_from_caps(&audio, caps.get()) == FALSE || audio.bpf == 0) {
    return GST_PAD_PROBE_OK;
  }
  const auto rate = static_cast<guint64>(audio.rate);
  const auto frame_bytes = static_cast<gsize>(audio.bpf);
  const GstClockTime duration =
      gst_util_uint64_scale(gst_buffer_get_size(buffer) / frame_bytes, GST_SECOND, rate);
  const Place place = retimer.With([pts = GST_BUFFER_PTS(buffer), duration](Retimer& shared) {
    return Count(shared, pts, duration);
  });
  buffer =
      place.silence == 0
          ? gst_buffer_make_writable(buffer)
          : gst_buffer_append(
                Silence(gst_util_uint64_scale_round(place.silence, rate, GST_SECOND) * frame_bytes),
                buffer);
  GST_BUFFER_PTS(buffer) = place.counted;
  info->data = buffer;
  return GST_PAD_PROBE_OK;
}

// Runs on the streaming thread.
GstPadProbeReturn OnCoded(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  auto& retimer = **static_cast<SharedRetimer*>(user_data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (!GST_BUFFER_PTS_IS_VALID(buffer)) return GST_PAD_PROBE_OK;
  buffer = gst_buffer_make_writable(buffer);
  const GstClockTime counted = GST_BUFFER_PTS(buffer);
  GST_BUFFER_PTS(buffer) =
      retimer.With([counted](Retimer& shared) { return Restore(shared, counted); });
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  info->data = buffer;
  return GST_PAD_PROBE_OK;
}

void DeleteRetimer(gpointer data) { delete static_cast<SharedRetimer*>(data); }

}  // namespace

void RetimeAudio(GstPad* raw, GstPad* coded) {
  const auto retimer = std::make_shared<Guarded<Retimer>>();
  gst_pad_add_probe(raw, GST_PAD_PROBE_TYPE_BUFFER, OnRaw,
                    std::make_unique<SharedRetimer>(retimer).release(), DeleteRetimer);
  gst_pad_add_probe(coded, GST_PAD_PROBE_TYPE_BUFFER, OnCoded,
                    std::make_unique<SharedRetimer>(retimer).release(), DeleteRetimer);
}

}  // namespace kvsbridge
