#include "media/gst_log.h"

#include <gst/gst.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string_view>
#include <utility>

#include "glib/loop_thread.h"
#include "glib/ptr.h"

namespace kvsbridge {
namespace {

/// Lives as long as the process: GStreamer's threads may still log when everything else is gone.
struct Log {
  Guarded<std::vector<GstLogLine>> lines;
  std::atomic<std::size_t> size{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<bool> collecting{false};
};

Log& TheLog() {
  // GStreamer's threads log until the process is gone.
  static Log* const kLog = new Log;  // NOLINT(cppcoreguidelines-owning-memory): never deleted
  return *kLog;
}

/// What other programs' data put into a message need not be text.
std::string ToLogText(const gchar* text) {
  const std::string_view whole = text == nullptr ? "" : text;
  const auto length = static_cast<gssize>(std::min(whole.size(), kMaxGstLogMessage));
  const GCharPtr valid(g_utf8_make_valid(whole.data(), length));
  return valid.get();
}

/// "<webrtc:sink_0>" as GStreamer prints objects, without the brackets.
std::string ObjectName(GstDebugMessage* message) {
  std::string name = ToString(gst_debug_message_get_id(message));
  if (name.size() >= 2 && name.front() == '<' && name.back() == '>') {
    name = name.substr(1, name.size() - 2);
  }
  return name;
}

/// On whichever thread logs, perhaps under an object's lock: copies, and returns.
void OnLog(GstDebugCategory* category, GstDebugLevel level, const gchar* file,
           const gchar* function, gint line, GObject* object, GstDebugMessage* message,
           gpointer data) {
  Log& log = TheLog();
  if (!log.collecting.load()) {
    gst_debug_log_default(category, level, file, function, line, object, message, data);
    return;
  }
  // GStreamer leaves this to its log functions: any category's threshold opens the way for all.
  if (level > gst_debug_category_get_threshold(category)) return;
  if (log.size.fetch_add(1) >= kMaxGstLogLines) {
    log.size.fetch_sub(1);
    log.dropped.fetch_add(1);
    return;
  }
  GstLogLine entry{static_cast<int>(level), gst_debug_category_get_name(category),
                   ObjectName(message), ToLogText(gst_debug_message_get(message))};
  log.lines.With([&](std::vector<GstLogLine>& lines) { lines.push_back(std::move(entry)); });
}

/// Takes the place of GStreamer's default output, for good: GStreamer leaks its list of log
/// functions with each change, for the threads that may be reading it.
void Install() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Not GStreamer's macros of these names, which are no C++. Null stands for the default output.
    (gst_debug_remove_log_function)(nullptr);
    (gst_debug_add_log_function)(OnLog, nullptr, nullptr);
  });
}

/// GStreamer hands over all messages up to the highest level ever asked for, so what was asked for
/// earlier is forgotten first. Never set it active: that asks for every level, and each packet is
/// then printed in hexadecimal for nobody.
void SetThresholds(const gchar* thresholds) {
  gst_debug_set_active(FALSE);
  gst_debug_set_threshold_from_string(thresholds, TRUE);
}

}  // namespace

void StartGstLog(const std::string& thresholds) {
  Install();
  TheLog().collecting.store(true);
  SetThresholds(thresholds.c_str());
}

GstLogBatch TakeGstLog() {
  Log& log = TheLog();
  GstLogBatch batch;
  batch.lines =
      log.lines.With([](std::vector<GstLogLine>& lines) { return std::exchange(lines, {}); });
  log.size.fetch_sub(batch.lines.size());
  batch.dropped = log.dropped.exchange(0);
  return batch;
}

void StopGstLog() {
  if (!TheLog().collecting.exchange(false)) return;
  const gchar* thresholds = g_getenv("GST_DEBUG");
  SetThresholds(thresholds == nullptr ? "0" : thresholds);
  static_cast<void>(TakeGstLog());
}

}  // namespace kvsbridge
