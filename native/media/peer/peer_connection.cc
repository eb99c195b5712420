#include "media/peer/peer_connection.h"

#include <gst/webrtc/webrtc.h>

#include <utility>

#include "media/gstreamer.h"
#include "media/peer/ice_server.h"
#include "media/peer/sdp_guard.h"

namespace kvsbridge {
namespace {

/// libnice checks every pair; a peer that sends more than this is hostile or broken.
constexpr unsigned kMaxRemoteCandidates = 256;

using SessionDescription =
    std::unique_ptr<GstWebRTCSessionDescription, decltype(&gst_webrtc_session_description_free)>;

/// Keeps libnice from asking the local network's router for port mappings: the multicast has no
/// place in a data centre, and libgupnp-igd leaves a thread behind for every session.
void DisableUpnp(GstElement* webrtc) {
  const auto get = [](gpointer owner, const char* property) {
    GObject* object = nullptr;
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(owner), property) != nullptr) {
      g_object_get(owner, property, &object, nullptr);
    }
    return ObjectPtr<GObject>::Adopt(object);
  };
  const auto ice = get(webrtc, "ice-agent");
  if (!ice) return;
  const auto agent = get(ice.get(), "agent");
  if (!agent || g_object_class_find_property(G_OBJECT_GET_CLASS(agent.get()), "upnp") == nullptr) {
    return;
  }
  g_object_set(agent.get(), "upnp", FALSE, nullptr);
}

/// What a GObject signal closure carries: it must never keep the peer connection alive.
struct SignalData {
  std::weak_ptr<PeerConnection> peer;
  LoopPoster poster;
  std::function<void(PeerConnection&)> on_notify;
  std::function<void(PeerConnection&, unsigned, std::string)> on_candidate;
  std::function<void(PeerConnection&, PadPtr, gulong)> on_pad;

  void Post(std::function<void(PeerConnection&)> task) const {
    poster.Post([weak = peer, task = std::move(task)] {
      if (const auto self = weak.lock()) task(*self);
    });
  }
};

void DeleteSignalData(gpointer data, GClosure* /*closure*/) {
  delete static_cast<SignalData*>(data);
}

// Runs on webrtcbin's `:pc` thread.
void OnNotify(GObject* /*object*/, GParamSpec* /*spec*/, gpointer user_data) {
  const auto* data = static_cast<SignalData*>(user_data);
  data->Post(data->on_notify);
}

// Runs on libnice's or webrtcbin's `:pc` thread.
void OnIceCandidate(GstElement* /*webrtc*/, guint m_line_index, gchar* candidate,
                    gpointer user_data) {
  const auto* data = static_cast<SignalData*>(user_data);
  data->Post([handler = data->on_candidate, m_line_index, text = ToString(candidate)](
                 PeerConnection& self) { handler(self, m_line_index, text); });
}

GstPadProbeReturn HoldData(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer /*user_data*/) {
  return GST_PAD_PROBE_OK;  // a blocking probe holds the streaming thread until it is removed
}

// Runs on a streaming thread.
void OnPadAdded(GstElement* /*webrtc*/, GstPad* pad, gpointer user_data) {
  if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC) return;
  const auto* data = static_cast<SignalData*>(user_data);
  const gulong probe =
      gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, HoldData, nullptr, nullptr);
  data->Post([handler = data->on_pad, shared = PadPtr::Share(pad), probe](PeerConnection& self) {
    handler(self, shared, probe);
  });
}

struct PromiseData {
  std::weak_ptr<PeerConnection> peer;
  LoopPoster poster;
  std::function<void(PeerConnection&, const GstStructure*)> then;
};

// Runs on webrtcbin's `:pc` thread. set_state(NULL) in here would never return.
void OnPromise(GstPromise* promise, gpointer user_data) {
  auto* data = static_cast<PromiseData*>(user_data);
  data->poster.Post([weak = data->peer, then = data->then, held = PromisePtr::Share(promise)] {
    const auto self = weak.lock();
    if (!self) return;
    const bool replied = gst_promise_wait(held.get()) == GST_PROMISE_RESULT_REPLIED;
    then(*self, replied ? gst_promise_get_reply(held.get()) : nullptr);
  });
}

void DeletePromiseData(gpointer data) { delete static_cast<PromiseData*>(data); }

/// The error that a promise's reply carries, or empty.
std::string ReplyError(const GstStructure* reply) {
  if (reply == nullptr || gst_structure_has_field(reply, "error") == FALSE) return "";
  GError* raw_error = nullptr;
  gst_structure_get(reply, "error", G_TYPE_ERROR, &raw_error, nullptr);
  const GErrorPtr error(raw_error);
  return error ? error->message : "unknown error";
}

}  // namespace

std::shared_ptr<PeerConnection> PeerConnection::Create(LoopThread& loop, GstBin* pipeline,
                                                       const PeerOptions& options,
                                                       Handlers handlers) {
  std::shared_ptr<PeerConnection> peer(new PeerConnection(loop, options, std::move(handlers)));
  peer->Build(pipeline, options);
  return peer;
}

PeerConnection::PeerConnection(LoopThread& loop, const PeerOptions& options, Handlers handlers)
    : loop_(loop), handlers_(std::move(handlers)), dtls_identity_(options.dtls_identity) {}

PeerConnection::~PeerConnection() { Close(); }

void PeerConnection::Build(GstBin* pipeline, const PeerOptions& options) {
  RequireElements({"webrtcbin", "nicesrc", "nicesink", "dtlssrtpdec", "srtpdec", "rtpbin"});
  webrtc_ = MakeElement("webrtcbin", "webrtc");
  g_object_set(webrtc_.get(), "bundle-policy", GST_WEBRTC_BUNDLE_POLICY_MAX_BUNDLE, "latency",
               options.jitter_buffer_ms, nullptr);
  if (options.relay_only) {
    g_object_set(webrtc_.get(), "ice-transport-policy", GST_WEBRTC_ICE_TRANSPORT_POLICY_RELAY,
                 nullptr);
  }
  DisableUpnp(webrtc_.get());
  AddIceServers(options.ice_servers);
  if (const gulong id = dtls_identity_.UseIn(webrtc_.get()); id != 0) signal_ids_.push_back(id);
  ConnectSignals();
  gst_bin_add(pipeline, webrtc_.get());
}

void PeerConnection::AddIceServers(const std::vector<IceServer>& servers) {
  bool has_stun = false;
  for (const auto& server : servers) {
    const std::string uri = ToWebrtcbinUri(server);
    if (uri.rfind("stun", 0) == 0) {
      // webrtcbin takes one STUN server; the first listed wins.
      if (!has_stun) g_object_set(webrtc_.get(), "stun-server", uri.c_str(), nullptr);
      has_stun = true;
      continue;
    }
    gboolean added = FALSE;
    g_signal_emit_by_name(webrtc_.get(), "add-turn-server", uri.c_str(), &added);
    if (added == FALSE) {
      throw MediaError(ErrorKind::kOptions, "the TURN server " + server.uri + " is not usable",
                       "webrtc");
    }
  }
}

void PeerConnection::ConnectSignals() {
  const auto connect = [this](const char* signal, GCallback callback, auto configure) {
    auto data = std::make_unique<SignalData>(
        SignalData{weak_from_this(), loop_.poster(), nullptr, nullptr, nullptr});
    configure(*data);
    signal_ids_.push_back(g_signal_connect_data(webrtc_.get(), signal, callback, data.release(),
                                                DeleteSignalData, GConnectFlags{}));
  };
  const auto on_notify = [](SignalData& data) {
    data.on_notify = [](PeerConnection& self) { self.OnStateChanged(); };
  };
  connect("notify::connection-state", G_CALLBACK(OnNotify), on_notify);
  connect("notify::ice-connection-state", G_CALLBACK(OnNotify), on_notify);
  connect("on-ice-candidate", G_CALLBACK(OnIceCandidate), [](SignalData& data) {
    data.on_candidate = [](PeerConnection& self, unsigned m_line_index, std::string candidate) {
      if (self.closed_) return;
      self.handlers_.emit(LocalCandidateEvent{m_line_index, std::move(candidate)});
    };
  });
  connect("pad-added", G_CALLBACK(OnPadAdded), [](SignalData& data) {
    data.on_pad = [](PeerConnection& self, PadPtr pad, gulong probe) {
      if (self.closed_) return;
      self.handlers_.on_pad(std::move(pad), probe);
    };
  });
}

GstPromise* PeerConnection::NewPromise(
    std::function<void(PeerConnection&, const GstStructure*)> then) {
  auto data =
      std::make_unique<PromiseData>(PromiseData{weak_from_this(), loop_.poster(), std::move(then)});
  promises_.push_back(PromisePtr::Adopt(
      gst_promise_new_with_change_func(OnPromise, data.release(), DeletePromiseData)));
  return promises_.back().get();
}

void PeerConnection::Offer() { CreateLocal("offer"); }

void PeerConnection::CreateLocal(const std::string& type) {
  GstPromise* promise = NewPromise([type](PeerConnection& self, const GstStructure* reply) {
    if (!self.closed_) self.SetLocal(type, reply);
  });
  g_signal_emit_by_name(webrtc_.get(), ("create-" + type).c_str(), nullptr, promise);
}

void PeerConnection::SetLocal(const std::string& type, const GstStructure* reply) {
  GstWebRTCSessionDescription* raw_description = nullptr;
  if (reply != nullptr) {
    gst_structure_get(reply, type.c_str(), GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &raw_description,
                      nullptr);
  }
  const SessionDescription description(raw_description, gst_webrtc_session_description_free);
  if (!description) {
    const std::string error = ReplyError(reply);
    const std::string reason = error.empty() ? "" : ": " + error;
    if (type == "answer") {
      Fail(ErrorKind::kBadPeerInput, "no answer fits the peer's offer" + reason);
    } else {
      Fail(ErrorKind::kMedia, "webrtcbin created no offer" + reason);
    }
    return;
  }
  dtls_identity_.WriteFingerprint(description->sdp);
  local_m_lines_ = gst_sdp_message_medias_len(description->sdp);
  const GCharPtr sdp(gst_sdp_message_as_text(description->sdp));
  GstPromise* promise = NewPromise([](PeerConnection& self, const GstStructure* set_reply) {
    const std::string error = ReplyError(set_reply);
    if (self.closed_ || error.empty()) return;
    self.Fail(ErrorKind::kMedia, "the local description was refused: " + error);
  });
  g_signal_emit_by_name(webrtc_.get(), "set-local-description", description.get(), promise);
  handlers_.emit(LocalDescriptionEvent{type, ToString(sdp.get())});
}

void PeerConnection::SetRemoteAnswer(const std::string& sdp) {
  if (local_m_lines_ == 0 || remote_set_ || remote_pending_) {
    EmitBadInput("an answer came that no offer waits for");
    return;
  }
  try {
    SetRemote("answer", sdp, [] {});
  } catch (const MediaError& error) {
    EmitBadInput(error.what());
  }
}

void PeerConnection::SetRemoteOfferAndAnswer(const std::string& sdp) {
  SetRemote("offer", sdp, [this] { CreateLocal("answer"); });
}

void PeerConnection::SetRemote(const std::string& type, const std::string& sdp,
                               std::function<void()> then) {
  SdpMessagePtr sdp_message = ParseRemoteDescription(sdp, type == "answer" ? local_m_lines_ : 0);
  remote_pending_ = true;
  const SessionDescription description(
      gst_webrtc_session_description_new(
          type == "answer" ? GST_WEBRTC_SDP_TYPE_ANSWER : GST_WEBRTC_SDP_TYPE_OFFER,
          sdp_message.release()),
      gst_webrtc_session_description_free);
  GstPromise* promise =
      NewPromise([type, then = std::move(then)](PeerConnection& self, const GstStructure* reply) {
        self.remote_pending_ = false;
        if (self.closed_) return;
        const std::string error = ReplyError(reply);
        if (!error.empty()) {
          const std::string message = "the peer's " + type + " was refused: " + error;
          if (type == "offer") {
            self.Fail(ErrorKind::kBadPeerInput, message);
          } else {
            self.EmitBadInput(message);
          }
          return;
        }
        self.OnRemoteSet();
        then();
      });
  g_signal_emit_by_name(webrtc_.get(), "set-remote-description", description.get(), promise);
}

void PeerConnection::OnRemoteSet() {
  remote_set_ = true;
  for (const auto& early : std::exchange(early_candidates_, {})) {
    g_signal_emit_by_name(webrtc_.get(), "add-ice-candidate", early.m_line_index,
                          early.candidate.c_str());
  }
}

void PeerConnection::AddRemoteCandidate(unsigned m_line_index, const std::string& candidate) {
  if (closed_) return;
  try {
    if (CheckRemoteCandidate(candidate) != CandidateVerdict::kUse) return;
  } catch (const MediaError& error) {
    EmitBadInput(error.what());
    return;
  }
  if (m_line_index >= 16 || (local_m_lines_ != 0 && m_line_index >= local_m_lines_)) {
    EmitBadInput("the candidate names media section " + std::to_string(m_line_index) +
                 ", which does not exist");
    return;
  }
  if (++remote_candidates_ > kMaxRemoteCandidates) {
    if (remote_candidates_ == kMaxRemoteCandidates + 1) {
      EmitBadInput("the peer sent more than 256 candidates; the rest is ignored");
    }
    return;
  }
  if (!remote_set_) {
    early_candidates_.push_back({m_line_index, candidate});
    return;
  }
  g_signal_emit_by_name(webrtc_.get(), "add-ice-candidate", m_line_index, candidate.c_str());
}

void PeerConnection::OnStateChanged() {
  if (closed_) return;
  ConnectionStateEvent event{EnumNick(webrtc_.get(), "connection-state"),
                             EnumNick(webrtc_.get(), "ice-connection-state")};
  const std::string state = event.connection + "/" + event.ice;
  if (state == std::exchange(last_state_, state)) return;
  const std::string connection = event.connection;
  const std::string ice = event.ice;
  handlers_.emit(std::move(event));
  if (connection == "connected" && !std::exchange(connected_, true)) handlers_.on_connected();
  if (connection == "failed" || connection == "closed" || ice == "failed") {
    Fail(ErrorKind::kPeerLost,
         ice == "failed" ? "ICE failed: no path to the peer" : "the peer connection " + connection);
  }
}

void PeerConnection::EmitBadInput(const std::string& message) const {
  handlers_.emit(ErrorEvent{ErrorKind::kBadPeerInput, false, message, "webrtc", ""});
}

void PeerConnection::Fail(ErrorKind kind, const std::string& message) const {
  handlers_.on_failed(MediaError(kind, message, "webrtc"));
}

void PeerConnection::Close() {
  if (std::exchange(closed_, true)) return;
  for (const gulong id : std::exchange(signal_ids_, {})) {
    g_signal_handler_disconnect(webrtc_.get(), id);
  }
  // On its own thread webrtcbin may be adding the elements of a transport. Were the pipeline taken
  // down meanwhile, these would be dropped in READY. That thread never waits for this one.
  for (const auto& promise : promises_) gst_promise_wait(promise.get());
}

}  // namespace kvsbridge
