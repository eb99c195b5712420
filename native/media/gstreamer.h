// Process-wide GStreamer set-up.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "glib/ptr.h"

namespace kvsbridge {

/// Initializes GStreamer once per process and isolates the plugins that use OpenSSL from symbols
/// that the host executable exports. Any thread; later calls return at once.
///
/// Official Node binaries export a static OpenSSL: without isolation GStreamer's DTLS plugin runs
/// on Node's copy, whose version and struct layouts differ from the headers it was built against.
/// @throws MediaError when GStreamer cannot be initialized.
void InitializeGStreamer();

/// GStreamer's version, such as "1.22.0".
std::string GStreamerVersion();

/// Creates an element. @throws MediaError (kMissingPlugin) naming the element and the Debian
/// package.
ElementPtr MakeElement(const std::string& factory, const std::string& name);

/// True when the element is installed.
bool HasElement(const std::string& factory);

/// The Debian package that holds an element, or what comes closest to one; for messages.
std::string PackageOf(const std::string& factory);

/// Where an element comes from.
struct PluginInfo {
  std::string file;
  /// As the plugin calls itself.
  std::string version;
};

/// The plugin of an element; none when it is not installed.
std::optional<PluginInfo> PluginOf(const std::string& factory);

/// Checks that every element exists. @throws MediaError (kMissingPlugin) naming the first missing.
void RequireElements(std::initializer_list<const char*> factories);

/// The nick of an enumeration property's value, such as "connected".
std::string EnumNick(GstElement* element, const char* property);

}  // namespace kvsbridge
