#include "media/publisher/test_sound.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numbers>

namespace kvsbridge {
namespace {

constexpr double kTickHz = 1'000;
constexpr double kTickSeconds = 0.05;
constexpr double kTickAmplitude = 0.8 * 32'767;

constexpr double kLeftToneHz = 440;
/// Below what the recording analyzer takes for the tick, once both channels are mixed.
constexpr double kLeftToneAmplitude = 0.1 * 32'767;

struct Tone {
  unsigned rate_hz = 0;
  unsigned channels = 0;
  std::uint64_t samples = 0;
};

double Sine(double hz, double seconds) { return std::sin(2 * std::numbers::pi * hz * seconds); }

void Add(guint8* sample, double amplitude) {
  const double sum = static_cast<gint16>(GST_READ_UINT16_LE(sample)) + amplitude;
  const auto clamped = static_cast<gint16>(std::clamp(sum, -32'768.0, 32'767.0));
  GST_WRITE_UINT16_LE(sample, static_cast<guint16>(clamped));
}

/// Calls `change` with each frame of samples and its number in the buffer.
template <typename Change>
void ForEachFrame(GstPadProbeInfo* info, unsigned channels, const Change& change) {
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  info->data = buffer;
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_READWRITE) == FALSE) return;
  const gsize frame_bytes = gsize{2} * channels;
  for (gsize i = 0; (i + 1) * frame_bytes <= map.size; ++i) change(map.data + i * frame_bytes, i);
  gst_buffer_unmap(buffer, &map);
}

// Runs on the streaming thread.
GstPadProbeReturn AddTicks(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  const auto* tone = static_cast<Tone*>(user_data);
  const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
  const double start = static_cast<double>(pts % GST_SECOND) / GST_SECOND;
  ForEachFrame(info, tone->channels, [tone, start](guint8* frame, gsize i) {
    const double seconds = std::fmod(start + static_cast<double>(i) / tone->rate_hz, 1);
    if (seconds >= kTickSeconds) return;
    const double amplitude = kTickAmplitude * Sine(kTickHz, seconds);
    for (unsigned channel = 0; channel < tone->channels; ++channel) {
      Add(frame + gsize{2} * channel, amplitude);
    }
  });
  return GST_PAD_PROBE_OK;
}

// Runs on the streaming thread.
GstPadProbeReturn AddLeftTone(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer user_data) {
  auto* tone = static_cast<Tone*>(user_data);
  ForEachFrame(info, tone->channels, [tone](guint8* frame, gsize /*i*/) {
    const double seconds = static_cast<double>(tone->samples++) / tone->rate_hz;
    Add(frame, kLeftToneAmplitude * Sine(kLeftToneHz, seconds));
  });
  return GST_PAD_PROBE_OK;
}

void AddAt(GstPad* pad, GstPadProbeCallback add, unsigned rate_hz, unsigned channels) {
  auto tone = std::make_unique<Tone>();
  tone->rate_hz = rate_hz;
  tone->channels = channels;
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, add, tone.release(),
                    [](gpointer data) { delete static_cast<Tone*>(data); });
}

}  // namespace

void AddTicksAt(GstPad* pad, unsigned rate_hz, unsigned channels) {
  AddAt(pad, AddTicks, rate_hz, channels);
}

void AddLeftToneAt(GstPad* pad, unsigned rate_hz) { AddAt(pad, AddLeftTone, rate_hz, 2); }

}  // namespace kvsbridge
