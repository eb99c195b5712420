#include "media/peer/rtp_sources.h"

#include <gst/gst.h>

#include <algorithm>
#include <memory>

namespace kvsbridge {
namespace {

using StructurePtr = std::unique_ptr<GstStructure, decltype(&gst_structure_free)>;

constexpr double kMsPerSecond = 1'000;

RtpSource ReadSource(const GstStructure* stats) {
  RtpSource source;
  guint ssrc = 0;
  guint64 packets = 0;
  guint64 bytes = 0;
  gint lost = 0;
  gint clock_rate_hz = 0;
  guint jitter_ticks = 0;
  guint nacks = 0;
  guint plis = 0;
  guint firs = 0;
  gboolean left = FALSE;
  gboolean has_report = FALSE;
  guint reported = 0;
  const auto read = [stats](const char* field, GType type, auto* value) {
    gst_structure_get(stats, field, type, value, nullptr);
  };
  read("ssrc", G_TYPE_UINT, &ssrc);
  read("packets-received", G_TYPE_UINT64, &packets);
  read("octets-received", G_TYPE_UINT64, &bytes);
  read("packets-lost", G_TYPE_INT, &lost);
  read("clock-rate", G_TYPE_INT, &clock_rate_hz);
  read("jitter", G_TYPE_UINT, &jitter_ticks);
  read("sent-nack-count", G_TYPE_UINT, &nacks);
  read("sent-pli-count", G_TYPE_UINT, &plis);
  read("sent-fir-count", G_TYPE_UINT, &firs);
  read("received-bye", G_TYPE_BOOLEAN, &left);
  read("have-sr", G_TYPE_BOOLEAN, &has_report);
  read("sr-packet-count", G_TYPE_UINT, &reported);
  source.ssrc = ssrc;
  source.packets_received = packets;
  source.bytes_received = bytes;
  source.packets_lost = lost;
  if (clock_rate_hz > 0) source.jitter_ms = jitter_ticks * kMsPerSecond / clock_rate_hz;
  source.nacks_sent = nacks;
  source.plis_sent = plis;
  source.firs_sent = firs;
  source.left = left != FALSE;
  source.has_report = has_report != FALSE;
  source.packets_reported = reported;
  return source;
}

}  // namespace

std::vector<RtpSource> ReadRtpSources(GObject* rtp_session) {
  std::vector<RtpSource> found;
  if (rtp_session == nullptr) return found;
  GstStructure* raw_stats = nullptr;
  g_object_get(rtp_session, "stats", &raw_stats, nullptr);
  if (raw_stats == nullptr) return found;
  const StructurePtr stats(raw_stats, gst_structure_free);
  const GValue* value = gst_structure_get_value(stats.get(), "source-stats");
  if (value == nullptr || !G_VALUE_HOLDS_BOXED(value)) return found;
  // rtpsession has no other form of it, deprecated or not.
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  const auto* sources = static_cast<const GValueArray*>(g_value_get_boxed(value));
  for (guint i = 0; sources != nullptr && i < sources->n_values; ++i) {
    const GstStructure* source = gst_value_get_structure(&sources->values[i]);
    gboolean internal = TRUE;
    gst_structure_get_boolean(source, "internal", &internal);
    if (internal == FALSE) found.push_back(ReadSource(source));
  }
  G_GNUC_END_IGNORE_DEPRECATIONS
  return found;
}

void RtpTrackSums::Follow(const std::string& track, std::uint32_t ssrc) {
  Track& followed = tracks_[track];
  followed.before = Read(track);
  followed.before.jitter_ms = 0;
  followed.present = {};
  followed.ssrc = ssrc;
}

void RtpTrackSums::Update(const std::vector<RtpSource>& sources) {
  for (auto& [name, track] : tracks_) {
    const auto source =
        std::find_if(sources.begin(), sources.end(),
                     [ssrc = track.ssrc](const RtpSource& each) { return each.ssrc == ssrc; });
    if (source == sources.end()) continue;
    RtpTrackStats& present = track.present;
    present.packets_received = source->packets_received;
    present.bytes_received = source->bytes_received;
    // Packets that come twice make it fall, below zero even: a count never does.
    present.packets_lost =
        std::max(present.packets_lost,
                 static_cast<std::uint64_t>(std::max<std::int64_t>(source->packets_lost, 0)));
    present.nacks_sent = source->nacks_sent;
    present.plis_sent = source->plis_sent;
    present.firs_sent = source->firs_sent;
    present.jitter_ms = source->jitter_ms;
  }
}

bool RtpTrackSums::Carries(std::uint32_t ssrc) const {
  return std::any_of(tracks_.begin(), tracks_.end(),
                     [ssrc](const auto& entry) { return entry.second.ssrc == ssrc; });
}

RtpTrackStats RtpTrackSums::Read(const std::string& track) const {
  const auto found = tracks_.find(track);
  if (found == tracks_.end()) return {};
  const auto& [ssrc, before, present] = found->second;
  return {before.packets_received + present.packets_received,
          before.bytes_received + present.bytes_received,
          before.packets_lost + present.packets_lost,
          before.nacks_sent + present.nacks_sent,
          before.plis_sent + present.plis_sent,
          before.firs_sent + present.firs_sent,
          present.jitter_ms};
}

}  // namespace kvsbridge
