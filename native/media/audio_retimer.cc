#include "media/audio_retimer.h"

#include <gst/audio/audio.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "glib/loop_thread.h"

namespace kvsbridge {
namespace {

/// Sound that is missing for longer than this must be missing behind the encoder, too.
constexpr GstClockTimeDiff kGapNs = 40 * GST_MSECOND;
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

/// Returns the counted time of a buffer that begins at `pts`.
GstClockTime Count(Retimer& retimer, GstClockTime pts, GstClockTime duration) {
  const GstClockTimeDiff shift =
      GST_CLOCK_TIME_IS_VALID(retimer.next) ? GST_CLOCK_DIFF(retimer.next, pts) : 0;
  const GstClockTimeDiff last = retimer.shifts.empty() ? 0 : retimer.shifts.back().shift;
  if (!GST_CLOCK_TIME_IS_VALID(retimer.next) || shift - last > kGapNs) {
    // Never back: what was counted already is not counted again.
    retimer.next = GST_CLOCK_TIME_IS_VALID(retimer.next) ? std::max(retimer.next, pts) : pts;
  }
  const GstClockTime counted = retimer.next;
  retimer.shifts.push_back({counted, GST_CLOCK_DIFF(counted, pts)});
  if (retimer.shifts.size() > kMaxShifts) retimer.shifts.pop_front();
  retimer.next = counted + duration;
  return counted;
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
  const GstClockTime duration =
      gst_util_uint64_scale(gst_buffer_get_size(buffer) / static_cast<gsize>(audio.bpf), GST_SECOND,
                            static_cast<guint64>(audio.rate));
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  buffer = gst_buffer_make_writable(buffer);
  GST_BUFFER_PTS(buffer) =
      retimer.With([pts, duration](Retimer& shared) { return Count(shared, pts, duration); });
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
