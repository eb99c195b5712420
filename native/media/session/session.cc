#include "media/session/session.h"

#include <utility>

#include "media/bus_error.h"
#include "media/gstreamer.h"

namespace kvsbridge {
namespace {

constexpr std::chrono::milliseconds kTickInterval(100);

gboolean DispatchBusMessage(GstBus* /*bus*/, GstMessage* message, gpointer user_data) {
  (*static_cast<std::function<void(GstMessage*)>*>(user_data))(message);
  return G_SOURCE_CONTINUE;
}

void DeleteBusHandler(gpointer data) {
  delete static_cast<std::function<void(GstMessage*)>*>(data);
}

}  // namespace

Session::Session(const std::string& thread_name, PeerOptions options,
                 std::shared_ptr<EventSink> events)
    : options_(std::move(options)), events_(std::move(events)), loop_(thread_name) {}

Session::~Session() = default;

void Session::Start() {
  loop_.Post([this] { DoStart(); });
}

void Session::AddRemoteCandidate(unsigned m_line_index, std::string candidate) {
  Post([this, m_line_index, text = std::move(candidate)] {
    if (peer_ != nullptr) peer_->AddRemoteCandidate(m_line_index, text);
  });
}

void Session::Stop(std::chrono::milliseconds deadline) {
  loop_.Post([this, deadline] { DoStop(deadline); });
}

bool Session::Join(std::chrono::milliseconds deadline) { return loop_.WaitUntilFinished(deadline); }

void Session::Release(std::unique_ptr<Session> session, std::chrono::milliseconds deadline) {
  session->Abandon();
  if (session->Join(deadline)) return;
  static_cast<void>(session.release());
}

void Session::Shutdown() {
  Abandon();
  loop_.Join();
}

void Session::Abandon() {
  loop_.Post([this] { Close(); });
}

void Session::Post(std::function<void()> task) {
  loop_.Post([this, task = std::move(task)] {
    if (state_ != State::kClosed) task();
  });
}

void Session::DoStart() {
  if (state_ != State::kIdle) return;
  state_ = State::kStarting;
  try {
    InitializeGStreamer();
    pipeline_ = ElementPtr::Sink(gst_pipeline_new("session"));
    WatchBus();
    peer_ =
        PeerConnection::Create(loop_, pipeline(), options_,
                               {[this](Event event) { Emit(std::move(event)); },
                                [this](PadPtr pad, gulong probe) { OnPad(std::move(pad), probe); },
                                [this] {
                                  if (state_ == State::kStarting) state_ = State::kLive;
                                  DumpGraph("connected");
                                  OnConnected();
                                },
                                [this](const MediaError& error) { Fail(error); }});
    OnStart();
    tick_ = LoopTimer(loop_, kTickInterval, true, [this] { OnTick(); });
  } catch (const MediaError& error) {
    Fail(error);
  }
}

void Session::Fail(const MediaError& error) {
  if (state_ == State::kStopping || state_ == State::kClosed) return;
  DumpGraph("failed");
  Emit(ErrorEvent{error.kind(), true, error.what(), error.element(), error.debug()});
  DoStop(std::chrono::milliseconds(2'000));
}

void Session::DumpGraph(const char* moment) {
  // A no-op unless GST_DEBUG_DUMP_DOT_DIR is set.
  if (pipeline_) GST_DEBUG_BIN_TO_DOT_FILE_WITH_TS(pipeline(), GST_DEBUG_GRAPH_SHOW_ALL, moment);
}

void Session::DoStop(std::chrono::milliseconds deadline) {
  if (state_ == State::kStopping || state_ == State::kClosed) return;
  const bool was_running = state_ == State::kStarting || state_ == State::kLive;
  state_ = State::kStopping;
  if (!was_running || deadline.count() == 0) {
    Close();
    return;
  }
  drain_deadline_ = LoopTimer(loop_, deadline, false, [this] { Close(); });
  OnDrain();
}

void Session::FinishDrain() {
  if (state_ != State::kStopping) return;
  Close();
}

void Session::Close() {
  if (state_ == State::kClosed) return;
  drain_deadline_.Cancel();
  tick_.Cancel();
  DumpGraph("closing");
  if (peer_ != nullptr) peer_->Close();
  OnClosing();
  state_ = State::kClosed;
  if (bus_source_ != nullptr) {
    g_source_destroy(bus_source_);
    g_source_unref(std::exchange(bus_source_, nullptr));
  }
  if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  OnClosed();
  peer_.reset();
  pipeline_.reset();
  Emit(ClosedEvent{});
  loop_.Quit();
}

void Session::WatchBus() {
  const auto bus = ObjectPtr<GstBus>::Adopt(gst_element_get_bus(pipeline_.get()));
  bus_source_ = gst_bus_create_watch(bus.get());
  auto handler = std::make_unique<std::function<void(GstMessage*)>>(
      [this](GstMessage* message) { OnBusMessage(message); });
  g_source_set_callback(bus_source_, G_SOURCE_FUNC(DispatchBusMessage), handler.release(),
                        DeleteBusHandler);
  g_source_attach(bus_source_, loop_.context());
}

void Session::OnBusMessage(GstMessage* message) {
  const auto report = ReadBusError(message);
  if (!report) return;
  if (report->fatal) {
    Fail(MediaError(report->kind, report->message, report->element, report->debug));
  } else {
    Emit(*report);
  }
}

}  // namespace kvsbridge
