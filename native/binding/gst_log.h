// GStreamer's log, for JavaScript to take.
#pragma once

#include <napi.h>

namespace kvsbridge::binding {

/// `startGstLog(thresholds: string): void`: see StartGstLog.
void StartGstLogJs(const Napi::CallbackInfo& info);

/// `takeGstLog(): { lines: GstLogLine[], dropped: number }`
Napi::Value TakeGstLogJs(const Napi::CallbackInfo& info);

/// `stopGstLog(): void`
void StopGstLogJs(const Napi::CallbackInfo& info);

}  // namespace kvsbridge::binding
