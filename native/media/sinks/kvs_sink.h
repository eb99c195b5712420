// The sink that feeds AWS's own kvssink element.
#pragma once

#include <functional>
#include <list>
#include <memory>

#include "media/sinks/kvs_upload.h"

namespace kvsbridge {

/// Gives every epoch a fresh kvssink, since an element keeps the codec configuration it began with.
///
/// The element before drains meanwhile. The new one connects at once, and media flows into it when
/// the old one is done or `KvsSinkLimits::handover` is over: as a rule one PutMedia request at a
/// time. Emits Epoch/Fragment events without bytes, and what the element says as Ack events.
class KvsSink final : public MediaSink {
 public:
  /// @param loop,events outlive the sink
  KvsSink(KvsSinkOptions options, const LoopThread& loop, EventSink& events);
  /// On the loop thread, or when it has ended. Elements that hang are left behind.
  ~KvsSink() override;

  void BeginEpoch(const Epoch& epoch) override;
  void BeginFragment(std::int64_t timecode_ms, const std::vector<FragmentTag>& tags) override;
  void WriteVideo(const VideoFrame& frame) override;
  void WriteAudio(const AudioFrame& frame) override;
  void Flush() override {}
  void EndFragment(const FragmentTotals& totals) override;
  void EndEpoch() override;
  [[nodiscard]] bool HasRoom() const override;
  void Drain(const std::function<void()>& done) override;

 private:
  /// An upload and the deadline of what it is doing.
  struct Entry {
    std::unique_ptr<KvsUpload> upload;
    LoopTimer connect_deadline;
    LoopTimer stop_deadline;
    bool connected = false;
    bool ended = false;
    bool failed = false;
  };

  void OnReports(std::vector<KvsReport> reports);
  void OnAck(unsigned epoch, KvsAck ack);
  void OnFailed(Entry& entry, std::uint32_t status, const std::string& reason);
  void Stop(Entry& entry);
  void ArmStopDeadline(Entry& entry);
  void Remove(unsigned epoch, const char* state);
  void PlayNext();
  void EmitState(unsigned epoch, const char* state, std::uint32_t status = 0,
                 const std::string& reason = "");
  [[nodiscard]] Entry* Find(unsigned epoch);
  [[nodiscard]] KvsElement* Current();

  const KvsSinkOptions options_;
  const LoopThread& loop_;
  EventSink& events_;
  const Inbox<KvsReport> reports_;
  std::list<Entry> uploads_;  ///< oldest first
  LoopTimer handover_;
  std::function<void()> on_drained_;
  unsigned epoch_ = 0;
  std::size_t fragment_bytes_ = 0;
  bool fragment_starts_ = false;
};

}  // namespace kvsbridge
