#include "media/peer/ice_server.h"

#include <string_view>

#include "glib/ptr.h"
#include "media/media_error.h"

namespace kvsbridge {

std::string ToWebrtcbinUri(const IceServer& server) {
  const auto colon = server.uri.find(':');
  const std::string scheme = server.uri.substr(0, colon);
  if (colon == std::string::npos || (scheme != "stun" && scheme != "turn" && scheme != "turns")) {
    throw MediaError(ErrorKind::kOptions,
                     "an ICE server URI must begin with stun:, turn: or turns:");
  }
  std::string_view address = server.uri;
  address.remove_prefix(colon + 1);
  if (address.substr(0, 2) == "//") address.remove_prefix(2);
  if (address.empty() || address.find('@') != std::string_view::npos) {
    throw MediaError(ErrorKind::kOptions, "an ICE server URI must name a host and no user");
  }
  if (scheme == "stun") return "stun://" + std::string(address.substr(0, address.find('?')));
  if (server.username.empty() || server.password.empty()) {
    throw MediaError(ErrorKind::kOptions, "a TURN server needs a username and a password");
  }
  const GCharPtr user(g_uri_escape_string(server.username.c_str(), nullptr, FALSE));
  const GCharPtr password(g_uri_escape_string(server.password.c_str(), nullptr, FALSE));
  return scheme + "://" + user.get() + ":" + password.get() + "@" + std::string(address);
}

}  // namespace kvsbridge
