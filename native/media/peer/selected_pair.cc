#include "media/peer/selected_pair.h"

#include <array>
#include <string>
#include <utility>

namespace kvsbridge {
namespace {

/// How libnice's public `NiceCandidate` begins; its headers are in no package that GStreamer's
/// need.
struct NiceCandidateHead {
  guint type;
  guint transport;
};

/// By NiceCandidateType.
constexpr std::array kTypes = {"host", "srflx", "prflx", "relay"};

std::string TypeOf(gconstpointer candidate) {
  const guint type = static_cast<const NiceCandidateHead*>(candidate)->type;
  return type < kTypes.size() ? kTypes[type] : "";
}

}  // namespace

SelectedPair::SelectedPair(ObjectPtr<GObject> agent) : agent_(std::move(agent)) {
  if (!agent_) return;
  handler_ = g_signal_connect_data(
      agent_.get(), "new-selected-pair-full", G_CALLBACK(OnSelected),
      std::make_unique<Shared>(pair_).release(),
      [](gpointer data, GClosure* /*closure*/) { delete static_cast<Shared*>(data); },
      GConnectFlags{});
}

SelectedPair::~SelectedPair() {
  if (handler_ != 0) g_signal_handler_disconnect(agent_.get(), handler_);
}

CandidatePair SelectedPair::Read() const {
  return pair_->With([](const CandidatePair& pair) { return pair; });
}

void SelectedPair::OnSelected(GObject* /*agent*/, guint /*stream*/, guint /*component*/,
                              gpointer local, gpointer remote, gpointer user_data) {
  if (local == nullptr || remote == nullptr) return;
  // NICE_CANDIDATE_TRANSPORT_UDP is 0, the three kinds of TCP follow.
  const bool udp = static_cast<const NiceCandidateHead*>(local)->transport == 0;
  CandidatePair chosen{TypeOf(local), TypeOf(remote), udp ? "udp" : "tcp"};
  (*static_cast<Shared*>(user_data))->With([&chosen](CandidatePair& pair) {
    pair = std::move(chosen);
  });
}

}  // namespace kvsbridge
