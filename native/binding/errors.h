// The only place where C++ errors become JavaScript errors.
#pragma once

#include <napi.h>

#include <utility>

#include "media/media_error.h"

namespace kvsbridge::binding {

/// Per-environment data of the addon.
struct AddonData {
  /// `(kind, message, element, debug) => Error`, given by TypeScript at load, so that callers get
  /// true instances of its error classes.
  Napi::FunctionReference make_error;
};

/// The name by which TypeScript knows an error kind.
const char* KindName(ErrorKind kind);

/// Throws `error` as the TypeScript class that belongs to it.
[[noreturn]] void ThrowJs(Napi::Env env, const MediaError& error);

/// Runs the body of an entry point; whatever it throws reaches JavaScript as an error.
template <typename Body>
auto Guard(Napi::Env env, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const MediaError& error) {
    ThrowJs(env, error);
  } catch (const std::exception& error) {
    ThrowJs(env, MediaError(ErrorKind::kMedia, error.what()));
  }
}

}  // namespace kvsbridge::binding
