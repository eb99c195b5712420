// The kvssink element of AWS's producer SDK, as it is on its own pipeline.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "media/sinks/sink.h"

namespace kvsbridge {

/// How long an element may take before the session goes on without it.
struct KvsSinkLimits {
  /// How long a new epoch's media waits for the epoch before to be confirmed.
  std::chrono::milliseconds handover{3'000};
  /// How much longer than its own stop timeout an element may take to stop.
  std::chrono::milliseconds stop_grace{3'000};
  /// How long an element may take to connect before that is taken for a failure.
  std::chrono::milliseconds connect{20'000};
};

/// Settings of kvssink; see docs/sinks.md for what the others are left at.
struct KvsSinkOptions {
  std::string stream_name;
  std::string region;
  /// Read by the element whenever its credentials near their end; we keep it fresh.
  std::string credential_file;
  /// log4cplus configuration. It must keep the element from stdout, where it would print tokens.
  std::string log_config_file;
  /// As the stream has it; the element waits for no acknowledgement when it is 0.
  unsigned retention_hours = 24;
  /// Heap of the element for media that is not stored yet, in MiB, at least 10.
  unsigned storage_mib = 64;
  /// How much media may wait for the element, which takes none before it has connected.
  std::size_t queue_bytes = 16UL * 1024 * 1024;
  /// How long the element may wait for the last acknowledgement when it is stopped.
  unsigned stop_timeout_s = 10;
  KvsSinkLimits limits;
};

/// An acknowledgement of the service, as the element passes it on.
struct KvsAck {
  enum class Type { kBuffering, kReceived, kPersisted, kError, kIdle };

  Type type = Type::kIdle;
  std::int64_t timecode_ms = 0;
  std::string fragment_number;
  unsigned error_id = 0;  ///< of kError, such as 4004
};

/// What the element reports. Called on threads of GStreamer and of the SDK, which holds its locks
/// meanwhile: copy, post, return.
struct KvsElementHandlers {
  std::function<void(KvsAck)> on_ack;
  /// The stream cannot go on; @param status of the SDK.
  std::function<void(std::uint32_t status)> on_stream_error;
  /// A message on the bus. @param fatal false: one frame was refused
  std::function<void(bool fatal, std::string message, std::string debug)> on_message;
  /// The element took everything that was pushed before the end.
  std::function<void()> on_drained;
};

/// `appsrc ! kvssink`, with one appsrc per declared track.
///
/// Linked with caps that name codec and configuration before any state change, because the element
/// reads them in NULL->READY and never again. Frames are copies: kvssink writes into buffers.
class KvsElement {
 public:
  /// @throws MediaError when GStreamer has no kvssink
  KvsElement(const KvsSinkOptions& options, const Epoch& epoch, KvsElementHandlers handlers);
  KvsElement(const KvsElement&) = delete;
  KvsElement& operator=(const KvsElement&) = delete;
  ~KvsElement();

  /// Changes state, which may block for minutes. @return false when the element refuses
  bool SetState(GstState state);

  /// Tags of the fragment that begins with the next keyframe.
  void PushTags(const std::vector<FragmentTag>& tags);
  /// @param starts_fragment true: the element begins a fragment with this frame, false: it must not
  void PushVideo(const VideoFrame& frame, bool starts_fragment);
  void PushAudio(const AudioFrame& frame);
  /// Nothing follows; `on_drained` tells when the element has taken everything.
  void PushEnd();
  /// Bytes that the element has not taken.
  [[nodiscard]] std::size_t queued_bytes() const;

 private:
  struct Signals;

  ElementPtr AddTrack(const char* name, const char* pad_template, const CapsPtr& caps);
  static void Push(GstElement* source, BufferPtr buffer);
  static BufferPtr Stamp(GstBuffer* data, std::int64_t pts_ns, std::int64_t& last_ns);

  // Shared with probes and signals, which may fire until the pipeline is gone.
  std::shared_ptr<Signals> signals_;
  ElementPtr pipeline_;
  ElementPtr sink_;
  ElementPtr video_;
  ElementPtr audio_;
  std::int64_t last_video_ns_ = 0;
  std::int64_t last_audio_ns_ = 0;
};

}  // namespace kvsbridge
