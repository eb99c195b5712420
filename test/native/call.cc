#include "call.h"

#include <gtest/gtest.h>

namespace kvsbridge::testing {
namespace {

void StopAndWait(Session& session, EventLog& events, std::chrono::milliseconds deadline) {
  session.Stop(deadline);
  events.WaitForEvent<ClosedEvent>("the session's end");
  EXPECT_TRUE(session.Join(kPatience));
}

}  // namespace

Call::Call(ReceiverOptions options, MakePublisher make_publisher)
    : make_publisher_(std::move(make_publisher)),
      receiver_events_(
          std::make_shared<EventLog>([this](const Event& event) { FromReceiver(event); })),
      publisher_events_(
          std::make_shared<EventLog>([this](const Event& event) { FromPublisher(event); })),
      receiver_(std::make_unique<ReceiverSession>(std::move(options), receiver_events_)) {}

Call::~Call() {
  // Outside of the lock: the threads that these wait for may be about to take it.
  const auto receiver = TakeReceiver();
  const auto publisher = TakePublisher();
}

ReceiverOptions Call::ShortFragments() {
  ReceiverOptions options;
  options.recorder.min_fragment_ms = 200;
  options.recorder.target_fragment_ms = 400;
  return options;
}

Call::MakePublisher Call::TestPicture(bool audio) {
  return [audio](const std::string& offer, std::shared_ptr<EventSink> events) {
    PublisherOptions options;
    options.offer = offer;
    options.source.width = 480;
    options.source.height = 270;
    options.source.video_bitrate_bps = 300'000;
    options.source.audio = audio;
    return std::make_unique<PublisherSession>(std::move(options), std::move(events));
  };
}

bool Call::Start() {
  receiver_->Start();
  if (!events().WaitForEvent<LocalDescriptionEvent>("an offer")) return false;
  auto publisher =
      make_publisher_(events().All<LocalDescriptionEvent>().at(0).sdp, publisher_events_);
  const std::lock_guard<std::mutex> lock(mutex_);
  publisher_ = std::move(publisher);
  publisher_->Start();
  for (const auto& candidate : std::exchange(early_candidates_, {})) {
    publisher_->AddRemoteCandidate(candidate.sdp_m_line_index, candidate.candidate);
  }
  return true;
}

void Call::FromReceiver(const Event& event) {
  const auto* candidate = std::get_if<LocalCandidateEvent>(&event);
  if (candidate == nullptr) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (publisher_ == nullptr) {
    early_candidates_.push_back(*candidate);
  } else {
    publisher_->AddRemoteCandidate(candidate->sdp_m_line_index, candidate->candidate);
  }
}

void Call::FromPublisher(const Event& event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (receiver_ == nullptr) return;
  if (const auto* description = std::get_if<LocalDescriptionEvent>(&event)) {
    receiver_->SetRemoteAnswer(description->sdp);
  } else if (const auto* candidate = std::get_if<LocalCandidateEvent>(&event)) {
    receiver_->AddRemoteCandidate(candidate->sdp_m_line_index, candidate->candidate);
  }
}

bool Call::WaitForMedia(std::size_t writes) {
  return events().WaitForCount<MediaDataEvent>("media", writes);
}

bool Call::WaitForFragments(std::size_t fragments) {
  return events().WaitForCount<FragmentEndEvent>("fragments", fragments);
}

bool Call::WaitForFrames(std::uint64_t frames) {
  return events().WaitForEvent<StatsEvent>("video frames", [frames](const StatsEvent& stats) {
    return stats.recorder.video_frames_received >= frames;
  });
}

void Call::StopReceiver(std::chrono::milliseconds deadline) {
  const auto receiver = TakeReceiver();
  StopAndWait(*receiver, events(), deadline);
}

void Call::StopPublisher(std::chrono::milliseconds deadline) {
  const auto publisher = TakePublisher();
  StopAndWait(*publisher, publisher_events(), deadline);
}

std::unique_ptr<ReceiverSession> Call::TakeReceiver() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::move(receiver_);
}

std::unique_ptr<Session> Call::TakePublisher() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::move(publisher_);
}

}  // namespace kvsbridge::testing
