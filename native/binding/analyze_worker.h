// `analyzeRecording(path: string): Promise<RecordingAnalysis>`
#pragma once

#include <napi.h>

namespace kvsbridge::binding {

/// Measures a recording on a pool thread; see media/recording_analyzer.h.
Napi::Value AnalyzeRecordingJs(const Napi::CallbackInfo& info);

}  // namespace kvsbridge::binding
