// GStreamer's own log, collected for whoever reads it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kvsbridge {

/// One line of GStreamer's log.
struct GstLogLine {
  int level = 0;  ///< GstDebugLevel: 1 error, 2 warning, 3 fixme, 4 info, 5 debug, 6 log, …
  std::string category;  ///< such as "webrtcbin"
  std::string object;    ///< name of the element, pad or other object; empty without one
  std::string message;   ///< valid UTF-8, at most `kMaxGstLogMessage` bytes
};

/// What waited in the log.
struct GstLogBatch {
  std::vector<GstLogLine> lines;
  /// How many were left out since the last batch, because there was no room.
  std::uint64_t dropped = 0;
};

/// Lines that wait at most. Whoever reads four times a second so gets 1000 a second.
constexpr std::size_t kMaxGstLogLines = 256;
/// Longer messages are cut.
constexpr std::size_t kMaxGstLogMessage = 2'048;

/// Collects GStreamer's log from now on, process-wide, in place of its default output on stderr.
/// Repeats change the thresholds. Any thread, after InitializeGStreamer.
///
/// Whoever logs, streaming threads above all, waits for nobody: while the queue is full, a line is
/// counted and not even formatted.
/// @param thresholds as in GST_DEBUG: "webrtc*:5,2"
void StartGstLog(const std::string& thresholds);

/// Takes what waits. Any thread; empty when nothing is collected.
[[nodiscard]] GstLogBatch TakeGstLog();

/// Ends the collection, drops what waits, and gives GStreamer its default output back. Any thread;
/// idempotent.
void StopGstLog();

}  // namespace kvsbridge
