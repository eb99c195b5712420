// A publisher's options and live controls, read from JavaScript and checked.
#pragma once

#include <napi.h>

#include "media/publisher/test_format.h"

namespace kvsbridge::binding {

/// Bounds of the picture: the frame counter needs the width.
constexpr unsigned kMinWidth = 480;
constexpr unsigned kMaxWidth = 3'840;
constexpr unsigned kMinHeight = 64;
constexpr unsigned kMaxHeight = 3'840;

/// @throws MediaError (kOptions) naming the member that is missing or wrong
TestSourceOptions ReadTestSourceOptions(const Napi::Object& object);

}  // namespace kvsbridge::binding
