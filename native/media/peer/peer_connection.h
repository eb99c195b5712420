// One webrtcbin: negotiation, candidates, states.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "glib/loop_thread.h"
#include "glib/ptr.h"
#include "media/events.h"
#include "media/peer/dtls_identity.h"

namespace kvsbridge {

/// One STUN or TURN server, as GetIceServerConfig returns it.
struct IceServer {
  std::string uri;  ///< "stun:host:port", "turn:host:port?transport=udp", "turns:…"
  std::string username;
  std::string password;
};

/// Settings of a peer connection.
struct PeerOptions {
  std::vector<IceServer> ice_servers;
  unsigned jitter_buffer_ms = 300;
  bool relay_only = false;
  DtlsIdentity dtls_identity;
};

/// Wraps a webrtcbin inside a pipeline. Every method runs on the session's loop thread, every
/// handler is called there; webrtcbin's own threads only copy and post.
class PeerConnection : public std::enable_shared_from_this<PeerConnection> {
 public:
  struct Handlers {
    std::function<void(Event)> emit;
    /// A media pad appeared. Its data flow is blocked until the returned probe is removed, so that
    /// the loop can build what follows it. The pad is shared, the probe id belongs to it.
    std::function<void(PadPtr pad, gulong block_probe)> on_pad;
    std::function<void()> on_connected;
    /// No connection, or none any more: ICE or DTLS failed, or the negotiation cannot go on.
    std::function<void(const MediaError& error)> on_failed;
  };

  /// Creates the webrtcbin and adds it to `pipeline`.
  /// @throws MediaError when webrtcbin is missing or an ICE server is not usable.
  static std::shared_ptr<PeerConnection> Create(LoopThread& loop, GstBin* pipeline,
                                                const PeerOptions& options, Handlers handlers);
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;
  ~PeerConnection();

  /// The element, for adding transceivers and requesting sink pads. Borrowed.
  [[nodiscard]] GstElement* element() const { return webrtc_.get(); }

  /// Creates the offer, sets it locally and emits it.
  void Offer();
  /// Sets the peer's answer. A bad one is emitted as an ErrorEvent (kBadPeerInput, not fatal).
  void SetRemoteAnswer(const std::string& sdp);
  /// Sets the peer's offer, then creates, sets and emits the answer. A bad offer ends the
  /// connection: there will be no other.
  /// @throws MediaError (kBadPeerInput) when it is malformed
  void SetRemoteOfferAndAnswer(const std::string& sdp);
  /// Whether the peer's description is set.
  [[nodiscard]] bool has_remote() const { return remote_set_; }
  /// Adds a candidate of the peer; queued until the remote description is set.
  void AddRemoteCandidate(unsigned m_line_index, const std::string& candidate);

  /// Disconnects every handler and waits for the step of the negotiation that webrtcbin is at;
  /// nothing is called afterwards. Idempotent. The pipeline must still run.
  void Close();

 private:
  struct RemoteCandidate {
    unsigned m_line_index = 0;
    std::string candidate;
  };

  PeerConnection(LoopThread& loop, const PeerOptions& options, Handlers handlers);
  void Build(GstBin* pipeline, const PeerOptions& options);
  void AddIceServers(const std::vector<IceServer>& servers);
  void ConnectSignals();
  /// @throws MediaError (kBadPeerInput) when the description is malformed
  void SetRemote(const std::string& type, const std::string& sdp, std::function<void()> then);
  void CreateLocal(const std::string& type);
  void SetLocal(const std::string& type, const GstStructure* reply);
  void OnRemoteSet();
  void OnStateChanged();
  void EmitBadInput(const std::string& message) const;
  void Fail(ErrorKind kind, const std::string& message) const;

  /// Posts `task` to the loop; dropped when this object is closed or gone by then.
  void PostSelf(std::function<void(PeerConnection&)> task);

  /// Runs `then(reply)` on the loop when the promise is answered. The reply may be null. The
  /// promise is borrowed: this object keeps it until it closes.
  GstPromise* NewPromise(std::function<void(PeerConnection&, const GstStructure*)> then);

  LoopThread& loop_;
  Handlers handlers_;
  const DtlsIdentity dtls_identity_;
  ElementPtr webrtc_;
  std::vector<gulong> signal_ids_;
  std::vector<PromisePtr> promises_;
  std::vector<RemoteCandidate> early_candidates_;
  std::string last_state_;
  unsigned local_m_lines_ = 0;
  unsigned remote_candidates_ = 0;
  bool remote_set_ = false;
  bool remote_pending_ = false;
  bool connected_ = false;
  bool closed_ = false;
};

}  // namespace kvsbridge
