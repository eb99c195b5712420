// What a session tells its owner. Plain data; crosses threads by move.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "media/media_error.h"
#include "media/recorder_stats.h"
#include "media/transport_stats.h"

namespace kvsbridge {

using Bytes = std::vector<std::uint8_t>;

/// A local SDP (offer of a receiver, answer of a publisher) is ready to be sent.
struct LocalDescriptionEvent {
  std::string type;  ///< "offer" or "answer"
  std::string sdp;
};

/// A local ICE candidate to trickle to the peer.
struct LocalCandidateEvent {
  unsigned sdp_m_line_index = 0;
  std::string candidate;
};

/// The peer connection changed state (W3C names: "connecting", "connected", "failed", …).
struct ConnectionStateEvent {
  std::string connection;
  std::string ice;
};

/// A media track of the peer began to arrive.
struct TrackEvent {
  std::string kind;         ///< "video" or "audio"
  std::string codec;        ///< RTP encoding name, such as "H264"
  std::string stored_as;    ///< what becomes of it: "H264", "AAC"
  bool transcoded = false;  ///< decoded and encoded again
};

/// A stretch of constant codec configuration begins.
struct EpochEvent {
  unsigned epoch = 0;
  std::int64_t timecode_ms = 0;  ///< epoch milliseconds of its first frame
  std::string video_codec;       ///< RFC 6381 ("avc1.42c01f"), empty without a video track
  unsigned width = 0;
  unsigned height = 0;
  std::string audio_codec;  ///< "mp4a.40.2", "alaw" or "ulaw", empty without an audio track
  std::string sink;         ///< what stores it: "putmedia" or "kvssink"
  Bytes header;             ///< what PutMedia must send first: MKV header; empty for kvssink
};

/// A fragment begins; its bytes follow as MediaDataEvent.
struct FragmentStartEvent {
  unsigned epoch = 0;
  std::int64_t timecode_ms = 0;
};

/// The next bytes of the current fragment.
struct MediaDataEvent {
  Bytes data;
};

/// The current fragment is complete.
struct FragmentEndEvent {
  unsigned epoch = 0;
  std::int64_t timecode_ms = 0;
  unsigned duration_ms = 0;
  unsigned video_frames = 0;
  unsigned audio_frames = 0;
  unsigned silent_audio_frames = 0;  ///< how many of `audio_frames` are filled-in silence
  std::size_t bytes = 0;             ///< of its frames, where no MediaDataEvent tells
};

/// The current epoch is complete.
struct EpochEndEvent {
  unsigned epoch = 0;
  Bytes trailer;
};

/// kvssink passed on an acknowledgement of the service.
struct SinkAckEvent {
  unsigned epoch = 0;
  std::string type;  ///< "buffering", "received", "persisted", "error" or "idle"
  std::int64_t timecode_ms = 0;
  std::string fragment_number;
  unsigned error_id = 0;  ///< of "error", such as 4004
};

/// What became of an epoch's kvssink.
struct SinkStateEvent {
  unsigned epoch = 0;
  /// "opening", "open", "failed", "frameRefused", then "closed" or, when it hangs, "abandoned"
  std::string state;
  std::uint32_t status = 0;  ///< of the SDK, 0 when it told none
  std::string reason;
};

/// Received video frames that could not be stored.
struct FramesDroppedEvent {
  unsigned video_frames = 0;
  /// "before-keyframe", "fragment-too-short" (a keyframe within a second of audio alone),
  /// "fragment-too-long", "leading-picture" (H.265), "queue-full", "undecodable" (packets were
  /// lost, or the decoder refused); of a transcoder "transcoder-too-slow", "unsupported-size"
  std::string reason;
};

/// Stored media has a hole: nothing that plays lies between the two times (Unix epoch ms).
struct GapEvent {
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
  /// "start", "loss", "source-silent", "keyframe-wait", or why frames were dropped (above)
  std::string reason;
  unsigned video_frames_dropped = 0;
};

/// Frames arrive, but the sender answers no request for a keyframe. Repeated with growing waits.
struct KeyframeOverdueEvent {
  unsigned waited_ms = 0;  ///< since the first request that is unanswered
};

/// Counters of a receiver since the session began, sent about once a second.
struct StatsEvent {
  RecorderStats recorder;
  TransportStats transport;
};

/// Counters of a publisher since the session began, sent about once a second.
struct SenderStatsEvent {
  std::uint64_t frames_sent = 0;
  std::uint64_t keyframe_requests = 0;  ///< received
};

/// Something went wrong; `fatal` ends the session.
struct ErrorEvent {
  ErrorKind kind = ErrorKind::kMedia;
  bool fatal = false;
  std::string message;
  std::string element;
  std::string debug;
};

/// Always the last event: the pipeline is gone.
struct ClosedEvent {};

using Event =
    std::variant<LocalDescriptionEvent, LocalCandidateEvent, ConnectionStateEvent, TrackEvent,
                 EpochEvent, FragmentStartEvent, MediaDataEvent, FragmentEndEvent, EpochEndEvent,
                 SinkAckEvent, SinkStateEvent, FramesDroppedEvent, GapEvent, KeyframeOverdueEvent,
                 StatsEvent, SenderStatsEvent, ErrorEvent, ClosedEvent>;

/// Where a session's events go. Implementations accept calls from any thread and never block.
class EventSink {
 public:
  EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;
  virtual ~EventSink() = default;

  virtual void Emit(Event event) = 0;
  /// True when the owner lags so far behind that media must be dropped.
  [[nodiscard]] virtual bool IsFull() const = 0;
};

}  // namespace kvsbridge
