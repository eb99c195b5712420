// Receives a live master and records it.
#pragma once

#include <gst/webrtc/webrtc.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "glib/inbox.h"
#include "media/media_clock.h"
#include "media/peer/peer_watch.h"
#include "media/recorder/recorder.h"
#include "media/session/session.h"
#include "media/sinks/kvs_element.h"
#include "media/timeline/rtp_tap.h"
#include "media/tracks/codecs.h"
#include "media/tracks/track.h"

namespace kvsbridge {

/// Settings of a receiver.
struct ReceiverOptions {
  PeerOptions peer;
  RecorderOptions recorder;
  /// What to offer, the preferred one first.
  std::vector<SourceCodec> video_codecs = AllSourceCodecs();
  AudioMode audio = AudioMode::kAac;
  /// What a connected master may do before the session ends.
  MediaPatience patience;
  /// Store with kvssink what it can store; without it all goes to PutMedia.
  std::optional<KvsSinkOptions> kvs_sink;
};

/// The offering viewer: webrtcbin, tracks, recorder, sink.
class ReceiverSession final : public Session {
 public:
  ReceiverSession(ReceiverOptions options, std::shared_ptr<EventSink> events);
  ~ReceiverSession() override;

  /// Hands in the master's answer. Any thread.
  void SetRemoteAnswer(std::string sdp);
  /// Asks the master for a keyframe now. Any thread.
  void RequestKeyframe();
  /// Keeps a tag with the next fragment, or with every one from the next on (`persistent`); a tag
  /// too many is reported as a warning. Any thread.
  /// @throws MediaError (kOptions) when the service would refuse the name or value
  void PutMetadata(std::string name, std::string value, bool persistent);

 private:
  /// A track has an id, because a track that was replaced may still have something in the inbox.
  struct ActiveTrack {
    unsigned id = 0;
    std::unique_ptr<Track> track;
  };
  struct Delivery {
    std::string kind;
    unsigned track_id = 0;
    TrackSample sample;            ///< empty: the track is at its end
    unsigned dropped_frames = 0;   ///< not zero: this many were dropped, and nothing else
    const char* drop_reason = "";  ///< a literal
    unsigned lost_packets = 0;     ///< not zero: this many did not come, and nothing else
  };

  void OnStart() override;
  void OnPad(PadPtr pad, gulong block_probe) override;
  void OnConnected() override;
  void OnDrain() override;
  void OnClosing() override;
  void OnClosed() override;
  void OnTick() override;

  void AddTransceivers();
  TrackHandlers HandlersFor(const std::string& kind, unsigned id);
  void RemoveTrack(const std::string& kind);
  void Deliver(const std::vector<Delivery>& deliveries);
  void DeliverVideo(const TrackSample& sample);
  void DeliverAudio(const TrackSample& sample);
  void OnTrackEnd(unsigned track_id);
  void FinishRecording();

  /// Ends the session when the master is lost.
  void CheckPeer();
  void ReportDrops();
  void EmitStats();

  const ReceiverOptions options_;
  const Inbox<Delivery> inbox_;
  std::unique_ptr<MediaSink> sink_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<MediaClock> clock_;
  std::unique_ptr<RtpTap> rtp_tap_;
  std::unique_ptr<PeerWatch> peer_watch_;  ///< from the answer on
  TransportStats transport_;               ///< the newest: the watch ends before the session
  ObjectPtr<GstWebRTCRTPTransceiver> video_transceiver_;
  std::map<std::string, ActiveTrack> tracks_;  ///< by kind
  std::set<unsigned> flowing_;                 ///< ids of the tracks that have not ended
  std::map<std::string, unsigned> dropped_;    ///< by reason, since the last report
  CapsPtr video_caps_;
  std::shared_ptr<const VideoFormat> video_format_;
  unsigned next_track_id_ = 0;
  unsigned ticks_ = 0;
  unsigned ticks_since_answer_ = 0;
};

}  // namespace kvsbridge
