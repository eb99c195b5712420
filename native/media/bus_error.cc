#include "media/bus_error.h"

#include "glib/ptr.h"

namespace kvsbridge {

std::optional<ErrorEvent> ReadBusError(GstMessage* message) {
  const GstMessageType type = GST_MESSAGE_TYPE(message);
  if (type != GST_MESSAGE_ERROR && type != GST_MESSAGE_WARNING) return std::nullopt;
  GError* raw_error = nullptr;
  gchar* raw_debug = nullptr;
  if (type == GST_MESSAGE_ERROR) {
    gst_message_parse_error(message, &raw_error, &raw_debug);
  } else {
    gst_message_parse_warning(message, &raw_error, &raw_debug);
  }
  const GErrorPtr error(raw_error);
  const GCharPtr debug(raw_debug);
  const bool missing =
      g_error_matches(error.get(), GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) != FALSE;
  ErrorEvent event;
  event.fatal = type == GST_MESSAGE_ERROR;
  event.kind = missing ? ErrorKind::kMissingPlugin : ErrorKind::kMedia;
  event.message = error->message;
  event.element = ToString(GST_MESSAGE_SRC_NAME(message));
  event.debug = ToString(debug.get());
  return event;
}

}  // namespace kvsbridge
