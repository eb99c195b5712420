#include "media/gstreamer.h"

#include <dlfcn.h>

#include <array>
#include <mutex>
#include <string_view>

#include "media/media_error.h"

namespace kvsbridge {
namespace {

// Sanitizer runtimes refuse RTLD_DEEPBIND (google/sanitizers#611); native tests run without Node,
// so there is nothing to isolate from.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsolate = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kIsolate = false;
#else
constexpr bool kIsolate = true;
#endif
#else
constexpr bool kIsolate = true;
#endif

/// Loads a library so that its own dependencies win over the executable's symbols. The handle is
/// kept for ever: later opens by GStreamer or the linker then share this binding.
void LoadIsolated(const char* file) { dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND); }

void IsolateOpenSsl() {
  // Both generations: Debian and Ubuntu since 22.04 ship 3; a missing one is no error.
  for (const char* library : {"libcrypto.so.3", "libssl.so.3"}) LoadIsolated(library);
  // The plugins that call OpenSSL, directly or through libsrtp and libnice.
  GstRegistry* registry = gst_registry_get();
  for (const char* plugin_name : {"dtls", "srtp", "nice", "webrtc"}) {
    const auto plugin =
        ObjectPtr<GstPlugin>::Adopt(gst_registry_find_plugin(registry, plugin_name));
    if (!plugin) continue;
    const gchar* file = gst_plugin_get_filename(plugin.get());
    if (file != nullptr) LoadIsolated(file);
  }
  // kvssink calls OpenSSL through these. Not the plugin itself: the dynamic linker would give it a
  // std::cout other than the one that libstdc++ constructs, and it writes there.
  if (ObjectPtr<GstPlugin>::Adopt(gst_registry_find_plugin(registry, "kvssink"))) {
    for (const char* library : {"libcurl.so.4", "libkvsCommonCurl.so.1"}) LoadIsolated(library);
  }
}

struct Package {
  std::string_view element;
  std::string_view package;
};

constexpr std::array kPackages = {
    Package{"webrtcbin", "gstreamer1.0-plugins-bad"},
    Package{"dtlssrtpdec", "gstreamer1.0-plugins-bad"},
    Package{"srtpdec", "gstreamer1.0-plugins-bad"},
    Package{"nicesrc", "gstreamer1.0-nice"},
    Package{"nicesink", "gstreamer1.0-nice"},
    Package{"h264parse", "gstreamer1.0-plugins-bad"},
    Package{"voaacenc", "gstreamer1.0-plugins-bad"},
    Package{"openh264dec", "gstreamer1.0-plugins-bad"},
    Package{"faad", "gstreamer1.0-plugins-bad"},
    Package{"matroskademux", "gstreamer1.0-plugins-good"},
    Package{"aacparse", "gstreamer1.0-plugins-good"},
    Package{"rtpbin", "gstreamer1.0-plugins-good"},
    Package{"rtph264depay", "gstreamer1.0-plugins-good"},
    Package{"rtph264pay", "gstreamer1.0-plugins-good"},
    Package{"rtpopusdepay", "gstreamer1.0-plugins-good"},
    Package{"rtpopuspay", "gstreamer1.0-plugins-good"},
    Package{"rtph265depay", "gstreamer1.0-plugins-good"},
    Package{"h265parse", "gstreamer1.0-plugins-bad"},
    Package{"rtpvp8depay", "gstreamer1.0-plugins-good"},
    Package{"vp8dec", "gstreamer1.0-plugins-good"},
    Package{"rtpvp9depay", "gstreamer1.0-plugins-good"},
    Package{"vp9parse", "gstreamer1.0-plugins-bad"},
    Package{"vp9dec", "gstreamer1.0-plugins-good"},
    Package{"av1parse", "gstreamer1.0-plugins-bad"},
    Package{"av1dec", "gstreamer1.0-plugins-bad"},
    Package{"videocrop", "gstreamer1.0-plugins-good"},
    Package{"openh264enc", "gstreamer1.0-plugins-bad"},
    Package{"rtppcmudepay", "gstreamer1.0-plugins-good"},
    Package{"rtppcmadepay", "gstreamer1.0-plugins-good"},
    Package{"mulawdec", "gstreamer1.0-plugins-good"},
    Package{"alawdec", "gstreamer1.0-plugins-good"},
    Package{"avenc_aac", "gstreamer1.0-libav"},
    Package{"x265enc", "gstreamer1.0-plugins-bad"},
    Package{"av1enc", "gstreamer1.0-plugins-bad"},
    Package{"vp8enc", "gstreamer1.0-plugins-good"},
    Package{"vp9enc", "gstreamer1.0-plugins-good"},
    Package{"rtph265pay", "gstreamer1.0-plugins-good"},
    Package{"rtpvp8pay", "gstreamer1.0-plugins-good"},
    Package{"rtpvp9pay", "gstreamer1.0-plugins-good"},
    Package{"rtpav1pay", "with the rsrtp plugin of gst-plugins-rs"},
    Package{"rtppcmupay", "gstreamer1.0-plugins-good"},
    Package{"rtppcmapay", "gstreamer1.0-plugins-good"},
    Package{"mulawenc", "gstreamer1.0-plugins-good"},
    Package{"alawenc", "gstreamer1.0-plugins-good"},
    Package{"x264enc", "gstreamer1.0-plugins-ugly"},
    Package{"timeoverlay", "gstreamer1.0-plugins-base or gstreamer1.0-x"},
};

[[noreturn]] void ThrowMissing(const std::string& factory) {
  throw MediaError(ErrorKind::kMissingPlugin, "GStreamer has no element \"" + factory +
                                                  "\"; install the package " + PackageOf(factory));
}

}  // namespace

void InitializeGStreamer() {
  static std::once_flag once;
  std::call_once(once, [] {
    GError* raw_error = nullptr;
    if (gst_init_check(nullptr, nullptr, &raw_error) == FALSE) {
      const GErrorPtr error(raw_error);
      throw MediaError(ErrorKind::kMedia, std::string("GStreamer cannot be initialized: ") +
                                              (error ? error->message : "no reason given"));
    }
    if (kIsolate) IsolateOpenSsl();
  });
}

std::string GStreamerVersion() {
  guint major = 0;
  guint minor = 0;
  guint micro = 0;
  guint nano = 0;
  gst_version(&major, &minor, &micro, &nano);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(micro);
}

ElementPtr MakeElement(const std::string& factory, const std::string& name) {
  auto element = ElementPtr::Sink(gst_element_factory_make(factory.c_str(), name.c_str()));
  if (!element) ThrowMissing(factory);
  return element;
}

bool HasElement(const std::string& factory) {
  return static_cast<bool>(
      ObjectPtr<GstElementFactory>::Adopt(gst_element_factory_find(factory.c_str())));
}

void RequireElements(std::initializer_list<const char*> factories) {
  for (const char* factory : factories) {
    if (!HasElement(factory)) ThrowMissing(factory);
  }
}

std::string PackageOf(const std::string& factory) {
  if (factory == "kvssink") return "that you built of AWS's producer SDK, and set GST_PLUGIN_PATH";
  for (const auto& entry : kPackages) {
    if (entry.element == factory) return std::string(entry.package);
  }
  return "gstreamer1.0-plugins-base";
}

std::optional<PluginInfo> PluginOf(const std::string& factory) {
  const auto feature =
      ObjectPtr<GstElementFactory>::Adopt(gst_element_factory_find(factory.c_str()));
  if (!feature) return std::nullopt;
  const auto plugin =
      ObjectPtr<GstPlugin>::Adopt(gst_plugin_feature_get_plugin(GST_PLUGIN_FEATURE(feature.get())));
  if (!plugin) return std::nullopt;
  const gchar* file = gst_plugin_get_filename(plugin.get());
  return PluginInfo{file != nullptr ? file : "", gst_plugin_get_version(plugin.get())};
}

std::string EnumNick(GstElement* element, const char* property) {
  const GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), property);
  if (spec == nullptr || !G_IS_PARAM_SPEC_ENUM(spec)) return "unknown";
  gint value = 0;
  g_object_get(element, property, &value, nullptr);
  const GEnumValue* entry = g_enum_get_value(G_PARAM_SPEC_ENUM(spec)->enum_class, value);
  return entry != nullptr ? entry->value_nick : "unknown";
}

}  // namespace kvsbridge
