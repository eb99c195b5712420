#include "binding/analyze_worker.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "binding/errors.h"
#include "binding/options.h"
#include "media/publisher/recording_analyzer.h"

namespace kvsbridge::binding {
namespace {

constexpr std::chrono::seconds kStallLimit(10);

Napi::Value ToJs(Napi::Env env, const RecordingAnalysis& analysis) {
  const auto number = [env](auto value) {
    return Napi::Number::New(env, static_cast<double>(value));
  };
  auto object = Napi::Object::New(env);
  object.Set("videoFrames", number(analysis.video_frames));
  object.Set("firstCounter", number(analysis.first_counter));
  object.Set("lastCounter", number(analysis.last_counter));
  object.Set("missingCounters", number(analysis.missing_counters));
  object.Set("repeatedCounters", number(analysis.repeated_counters));
  object.Set("maxVideoGapMs", number(analysis.max_video_gap_ms));
  object.Set("videoDurationMs", number(analysis.video_duration_ms));
  object.Set("audioDurationMs", number(analysis.audio_duration_ms));
  object.Set("avPairs", number(analysis.av_pairs));
  if (analysis.av_skew_ms) object.Set("avSkewMs", number(*analysis.av_skew_ms));
  if (analysis.av_skew_worst_ms) object.Set("avSkewWorstMs", number(*analysis.av_skew_worst_ms));
  return object;
}

/// One analysis. Deletes itself when its promise is settled, as node-addon-api's workers do.
class AnalyzeWorker final : public Napi::AsyncWorker {
 public:
  AnalyzeWorker(Napi::Env env, std::string path)
      : Napi::AsyncWorker(env, "kvsb-analyze"),
        path_(std::move(path)),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  [[nodiscard]] Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  // Pool thread.
  void Execute() override {
    try {
      analysis_ = AnalyzeRecording(path_, kStallLimit);
    } catch (const MediaError& error) {
      error_ = error;
    }
  }

  // Node thread, as is what follows.
  void OnOK() override {
    if (!error_) {
      deferred_.Resolve(ToJs(Env(), analysis_));
      return;
    }
    try {
      ThrowJs(Env(), *error_);
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  const std::string path_;
  const Napi::Promise::Deferred deferred_;
  RecordingAnalysis analysis_;
  std::optional<MediaError> error_;
};

}  // namespace

Napi::Value AnalyzeRecordingJs(const Napi::CallbackInfo& info) {
  return Guard(info.Env(), [&]() -> Napi::Value {
    auto worker = std::make_unique<AnalyzeWorker>(info.Env(), ReadString(info[0], "path"));
    const Napi::Promise promise = worker->promise();
    worker.release()->Queue();
    return promise;
  });
}

}  // namespace kvsbridge::binding
