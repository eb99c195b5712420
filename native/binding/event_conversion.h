// Events as JavaScript objects. Their shapes are declared in lib/media/native-events.ts.
#pragma once

#include <napi.h>

#include "media/events.h"

namespace kvsbridge::binding {

/// Node thread.
Napi::Object ToJs(Napi::Env env, Event event);

}  // namespace kvsbridge::binding
