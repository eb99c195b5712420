#include "glib/loop_thread.h"

#include <pthread.h>

#include <utility>

namespace kvsbridge {

struct LoopShared {
  explicit LoopShared(std::string thread_name)
      : name(std::move(thread_name)),
        context(g_main_context_new()),
        loop(g_main_loop_new(context, FALSE)) {}
  LoopShared(const LoopShared&) = delete;
  LoopShared& operator=(const LoopShared&) = delete;
  ~LoopShared() {
    g_main_loop_unref(loop);
    g_main_context_unref(context);
  }

  void Run() {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    g_main_context_push_thread_default(context);
    g_main_loop_run(loop);
    // Tasks posted before Quit() still run: their captures may hold the last references.
    while (g_main_context_iteration(context, FALSE) == TRUE) {
    }
    g_main_context_pop_thread_default(context);
    {
      std::lock_guard<std::mutex> lock(mutex);
      finished = true;
    }
    finished_changed.notify_all();
  }

  const std::string name;
  GMainContext* const context;
  GMainLoop* const loop;
  std::mutex mutex;
  std::condition_variable finished_changed;
  bool finished = false;
};

namespace {

gboolean RunTask(gpointer data) {
  (*static_cast<LoopThread::Task*>(data))();
  return G_SOURCE_REMOVE;
}

gboolean RunRepeatingTask(gpointer data) {
  (*static_cast<LoopThread::Task*>(data))();
  return G_SOURCE_CONTINUE;
}

void DeleteTask(gpointer data) { delete static_cast<LoopThread::Task*>(data); }

/// Hands `task` to `source` and attaches it; the context then owns both.
void Attach(GSource* source, GSourceFunc function, LoopThread::Task task, GMainContext* context) {
  auto owned = std::make_unique<LoopThread::Task>(std::move(task));
  g_source_set_callback(source, function, owned.release(), DeleteTask);
  g_source_attach(source, context);
}

}  // namespace

LoopThread::LoopThread(const std::string& name)
    : shared_(std::make_shared<LoopShared>(name)), thread_([shared = shared_] { shared->Run(); }) {}

LoopThread::~LoopThread() {
  if (!thread_.joinable()) return;
  Quit();
  thread_.join();
}

void LoopPoster::Post(Task task) const {
  GSource* source = g_idle_source_new();
  g_source_set_priority(source, G_PRIORITY_DEFAULT);
  Attach(source, RunTask, std::move(task), shared_->context);
  g_source_unref(source);
}

void LoopThread::Quit() {
  Post([shared = shared_.get()] { g_main_loop_quit(shared->loop); });
}

bool LoopThread::WaitUntilFinished(std::chrono::milliseconds deadline) {
  std::unique_lock<std::mutex> lock(shared_->mutex);
  return shared_->finished_changed.wait_for(lock, deadline, [this] { return shared_->finished; });
}

void LoopThread::Join() {
  if (thread_.joinable()) thread_.join();
}

GMainContext* LoopThread::context() const { return shared_->context; }

bool LoopThread::IsCurrent() const { return thread_.get_id() == std::this_thread::get_id(); }

LoopTimer::LoopTimer(const LoopThread& loop, std::chrono::milliseconds interval, bool repeat,
                     LoopThread::Task task)
    : source_(g_timeout_source_new(static_cast<guint>(interval.count()))) {
  Attach(source_, repeat ? RunRepeatingTask : RunTask, std::move(task), loop.context());
}

LoopTimer::LoopTimer(LoopTimer&& other) noexcept : source_(std::exchange(other.source_, nullptr)) {}

LoopTimer& LoopTimer::operator=(LoopTimer&& other) noexcept {
  if (this != &other) {
    Cancel();
    source_ = std::exchange(other.source_, nullptr);
  }
  return *this;
}

LoopTimer::~LoopTimer() { Cancel(); }

bool LoopTimer::armed() const {
  return source_ != nullptr && g_source_is_destroyed(source_) == FALSE;
}

void LoopTimer::Cancel() {
  if (source_ == nullptr) return;
  g_source_destroy(source_);
  g_source_unref(std::exchange(source_, nullptr));
}

}  // namespace kvsbridge
