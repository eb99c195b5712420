#include "media/sinks/kvs_sink.h"

#include <algorithm>
#include <utility>

namespace kvsbridge {
namespace {

const char* AckTypeName(KvsAck::Type type) {
  switch (type) {
    case KvsAck::Type::kBuffering:
      return "buffering";
    case KvsAck::Type::kReceived:
      return "received";
    case KvsAck::Type::kPersisted:
      return "persisted";
    case KvsAck::Type::kError:
      return "error";
    case KvsAck::Type::kIdle:
      return "idle";
  }
  return "idle";
}

}  // namespace

KvsSink::KvsSink(KvsSinkOptions options, const LoopThread& loop, EventSink& events)
    : options_(std::move(options)),
      loop_(loop),
      events_(events),
      reports_(loop.poster(),
               [this](std::vector<KvsReport> reports) { OnReports(std::move(reports)); }) {}

KvsSink::~KvsSink() {
  // Elements that are left behind go on reporting.
  reports_.Close();
}

void KvsSink::BeginEpoch(const Epoch& epoch) {
  epoch_ = epoch.number;
  EpochEvent event = DescribeEpoch(epoch);
  event.sink = "kvssink";
  events_.Emit(std::move(event));
  Entry& entry = uploads_.emplace_back();
  entry.upload = std::make_unique<KvsUpload>(options_, epoch, reports_);
  entry.connect_deadline =
      LoopTimer(loop_, options_.limits.connect, false, [this, number = epoch.number] {
        Entry* late = Find(number);
        if (late != nullptr) OnFailed(*late, 0, "it could not connect in time");
      });
  EmitState(epoch.number, "opening");
  PlayNext();
  if (uploads_.size() > 1) {
    handover_ = LoopTimer(loop_, options_.limits.handover, false, [this] {
      for (Entry& waiting : uploads_) waiting.upload->Play();
    });
  }
}

void KvsSink::BeginFragment(std::int64_t timecode_ms, const std::vector<FragmentTag>& tags) {
  fragment_bytes_ = 0;
  fragment_starts_ = true;
  events_.Emit(FragmentStartEvent{epoch_, timecode_ms});
  if (KvsElement* element = Current()) element->PushTags(tags);
}

void KvsSink::WriteVideo(const VideoFrame& frame) {
  fragment_bytes_ += gst_buffer_get_size(frame.data.get());
  const bool starts_fragment = std::exchange(fragment_starts_, false);
  if (KvsElement* element = Current()) element->PushVideo(frame, starts_fragment);
}

void KvsSink::WriteAudio(const AudioFrame& frame) {
  fragment_bytes_ += gst_buffer_get_size(frame.data.get());
  if (KvsElement* element = Current()) element->PushAudio(frame);
}

void KvsSink::EndFragment(const FragmentTotals& totals) {
  FragmentEndEvent event{epoch_,
                         totals.timecode_ms,
                         totals.duration_ms,
                         totals.video_frames,
                         totals.audio_frames,
                         totals.silent_audio_frames};
  event.bytes = fragment_bytes_;
  events_.Emit(event);
}

void KvsSink::EndEpoch() {
  events_.Emit(EpochEndEvent{epoch_, {}});
  Entry* entry = Find(epoch_);
  if (entry == nullptr) return;
  entry->ended = true;
  if (entry->failed) return;
  entry->upload->Finish();
  // Covers an element that takes no more frames, as well as one that hangs while it stops.
  ArmStopDeadline(*entry);
}

bool KvsSink::HasRoom() const {
  if (events_.IsFull()) return false;
  std::size_t bytes = 0;
  for (const Entry& entry : uploads_) bytes += entry.upload->element().queued_bytes();
  return bytes < options_.queue_bytes;
}

void KvsSink::Drain(const std::function<void()>& done) {
  if (uploads_.empty()) {
    done();
    return;
  }
  on_drained_ = done;
}

void KvsSink::OnReports(std::vector<KvsReport> reports) {
  for (KvsReport& report : reports) {
    // Acknowledgements count also for an element that was given up.
    if (auto* ack = std::get_if<KvsAck>(&report.what)) {
      OnAck(report.epoch, std::move(*ack));
      continue;
    }
    Entry* entry = Find(report.epoch);
    if (entry == nullptr) continue;
    if (std::holds_alternative<KvsReport::Ready>(report.what)) {
      entry->connected = true;
      entry->connect_deadline.Cancel();
      EmitState(report.epoch, "open");
    } else if (std::holds_alternative<KvsReport::Drained>(report.what)) {
      Stop(*entry);
    } else if (std::holds_alternative<KvsReport::Closed>(report.what)) {
      entry->upload->OnClosed();
      Remove(report.epoch, "closed");
    } else if (auto* failed = std::get_if<KvsReport::Failed>(&report.what)) {
      OnFailed(*entry, failed->status, failed->reason);
    } else if (auto* refused = std::get_if<KvsReport::FrameRefused>(&report.what)) {
      EmitState(report.epoch, "frameRefused", 0, refused->reason);
    }
  }
}

void KvsSink::OnAck(unsigned epoch, KvsAck ack) {
  events_.Emit(SinkAckEvent{epoch, AckTypeName(ack.type), ack.timecode_ms,
                            std::move(ack.fragment_number), ack.error_id});
}

void KvsSink::OnFailed(Entry& entry, std::uint32_t status, const std::string& reason) {
  if (std::exchange(entry.failed, true)) return;
  entry.connect_deadline.Cancel();
  EmitState(entry.upload->epoch(), "failed", status, reason);
  Stop(entry);
}

void KvsSink::Stop(Entry& entry) {
  entry.upload->Stop();
  ArmStopDeadline(entry);
}

void KvsSink::ArmStopDeadline(Entry& entry) {
  const auto limit = std::chrono::seconds(options_.stop_timeout_s) + options_.limits.stop_grace;
  entry.stop_deadline = LoopTimer(
      loop_, limit, false, [this, number = entry.upload->epoch()] { Remove(number, "abandoned"); });
}

void KvsSink::Remove(unsigned epoch, const char* state) {
  uploads_.remove_if([epoch](const Entry& entry) { return entry.upload->epoch() == epoch; });
  EmitState(epoch, state);
  PlayNext();
  if (uploads_.empty() && on_drained_) std::exchange(on_drained_, nullptr)();
}

void KvsSink::PlayNext() {
  if (uploads_.empty()) return;
  uploads_.front().upload->Play();
}

void KvsSink::EmitState(unsigned epoch, const char* state, std::uint32_t status,
                        const std::string& reason) {
  events_.Emit(SinkStateEvent{epoch, state, status, reason});
}

KvsSink::Entry* KvsSink::Find(unsigned epoch) {
  const auto found = std::find_if(uploads_.begin(), uploads_.end(), [epoch](const Entry& entry) {
    return entry.upload->epoch() == epoch;
  });
  return found == uploads_.end() ? nullptr : &*found;
}

KvsElement* KvsSink::Current() {
  Entry* entry = Find(epoch_);
  return entry == nullptr || entry->failed ? nullptr : &entry->upload->element();
}

}  // namespace kvsbridge
