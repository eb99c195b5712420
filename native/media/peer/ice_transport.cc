#include "media/peer/ice_transport.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

// Behind <sys/time.h>.
#include <linux/sockios.h>

#include <memory>
#include <optional>

#include "media/media_clock.h"

namespace kvsbridge {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
/// Of a socket that has not received anything.
constexpr std::int64_t kNoStamp = 0;

/// The functions of libnice that its GObject properties do not cover. GStreamer's plugin has loaded
/// it; its headers are in no package that GStreamer's need.
struct NiceFunctions {
  GPtrArray* (*get_sockets)(gpointer agent, guint stream, guint component) = nullptr;
  gint (*send)(gpointer agent, guint stream, guint component, guint length,
               const gchar* bytes) = nullptr;
};

template <typename Function>
void Load(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
}

const NiceFunctions& Nice() {
  static const NiceFunctions kFunctions = [] {
    NiceFunctions loaded;
    void* library = dlopen("libnice.so.10", RTLD_LAZY | RTLD_NOLOAD);
    if (library == nullptr) return loaded;
    Load(library, "nice_agent_get_sockets", loaded.get_sockets);
    Load(library, "nice_agent_send", loaded.send);
    return loaded;  // the library stays open: its pointers are kept
  }();
  return kFunctions;
}

/// When the socket's newest packet was received: of UDP in its own clock, of TCP in ours.
std::optional<std::int64_t> NewestArrival(int descriptor) {
  int type = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return std::nullopt;
  if (type == SOCK_DGRAM) {
    timeval newest{};
    if (ioctl(descriptor, SIOCGSTAMP, &newest) != 0) return std::nullopt;
    return static_cast<std::int64_t>(newest.tv_sec) * 1'000'000 + newest.tv_usec;
  }
  tcp_info info{};
  size = sizeof(info);
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  if (info.tcpi_state != TCP_ESTABLISHED) return std::nullopt;  // it listens
  return MediaClock::MonotonicNs() / kNsPerMs - info.tcpi_last_data_recv;
}

/// TCP's times are reckoned back from now, and so differ a little from call to call.
bool IsNewer(std::int64_t stamp, std::int64_t previous) {
  constexpr std::int64_t kToleranceMs = 20;
  return stamp < previous || stamp > previous + kToleranceMs;
}

}  // namespace

IceTransport::IceTransport(ElementPtr nicesrc) : nicesrc_(std::move(nicesrc)) {
  GObject* agent = nullptr;
  g_object_get(nicesrc_.get(), "agent", &agent, "stream", &stream_, "component", &component_,
               nullptr);
  agent_ = ObjectPtr<GObject>::Adopt(agent);
  selected_ = std::make_unique<SelectedPair>(agent_);
}

bool IceTransport::PollArrival() {
  bool arrived = false;
  ForEachSocket([this, &arrived](int descriptor) {
    const std::int64_t stamp = NewestArrival(descriptor).value_or(kNoStamp);
    const auto [entry, added] = stamps_.try_emplace(descriptor, stamp);
    if (added || !IsNewer(stamp, entry->second)) return;
    entry->second = stamp;
    arrived = true;
  });
  return arrived;
}

void IceTransport::ForEachSocket(const std::function<void(int)>& function) const {
  if (Nice().get_sockets == nullptr || !agent_) return;
  // Holds the sockets: their descriptors stay theirs meanwhile.
  const std::unique_ptr<GPtrArray, decltype(&g_ptr_array_unref)> sockets(
      Nice().get_sockets(agent_.get(), stream_, component_), g_ptr_array_unref);
  if (!sockets) return;
  for (guint i = 0; i < sockets->len; ++i) {
    gint descriptor = -1;
    g_object_get(g_ptr_array_index(sockets.get(), i), "fd", &descriptor, nullptr);
    function(descriptor);
  }
}

void IceTransport::Send(const std::vector<std::uint8_t>& bytes) const {
  if (Nice().send == nullptr || !agent_) return;
  Nice().send(agent_.get(), stream_, component_, static_cast<guint>(bytes.size()),
              reinterpret_cast<const gchar*>(bytes.data()));
}

bool IceTransport::controlling() const {
  gboolean controlling = TRUE;
  if (agent_) g_object_get(agent_.get(), "controlling-mode", &controlling, nullptr);
  return controlling != FALSE;
}

}  // namespace kvsbridge
