#include "glib/loop_thread.h"

#include <pthread.h>

#include <deque>
#include <utility>

namespace kvsbridge {

struct LoopShared {
  using Task = LoopPoster::Task;

  explicit LoopShared(std::string thread_name);
  LoopShared(const LoopShared&) = delete;
  LoopShared& operator=(const LoopShared&) = delete;
  ~LoopShared() {
    g_source_destroy(wake_up);
    g_source_unref(wake_up);
    g_main_loop_unref(loop);
    g_main_context_unref(context);
  }

  void Post(Task task) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      // Kept instead of dropped, a task that holds a poster would keep this object, and so itself.
      if (closed) return;
      tasks.push_back(std::move(task));
    }
    g_source_set_ready_time(wake_up, 0);
  }

  void RunTasks(bool close) {
    std::deque<Task> batch;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      closed = closed || close;
      batch.swap(tasks);
    }
    for (auto& task : batch) {
      task();
      task = nullptr;  // what it captured goes before the next one runs
    }
  }

  void Run() {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    g_main_context_push_thread_default(context);
    g_main_loop_run(loop);
    // Tasks posted until now still run: their captures may hold the last references.
    RunTasks(true);
    g_main_context_pop_thread_default(context);
    {
      const std::lock_guard<std::mutex> lock(mutex);
      finished = true;
    }
    finished_changed.notify_all();
  }

  const std::string name;
  GMainContext* const context;
  GMainLoop* const loop;
  GSource* const wake_up;  ///< ready when tasks wait
  std::mutex mutex;        ///< guards what follows
  std::deque<Task> tasks;
  bool closed = false;    ///< no further task is taken
  bool finished = false;  ///< the thread has left its loop
  std::condition_variable finished_changed;
};

namespace {

/// A source that is ready when its ready time says so.
struct WakeUpSource {
  GSource source;
  LoopShared* shared;
};

gboolean DispatchWakeUp(GSource* source, GSourceFunc /*callback*/, gpointer /*user_data*/) {
  g_source_set_ready_time(source, -1);
  reinterpret_cast<WakeUpSource*>(source)->shared->RunTasks(false);
  return G_SOURCE_CONTINUE;
}

GSource* MakeWakeUp(LoopShared* shared, GMainContext* context) {
  static GSourceFuncs functions = {nullptr, nullptr, DispatchWakeUp, nullptr, nullptr, nullptr};
  GSource* source = g_source_new(&functions, sizeof(WakeUpSource));
  reinterpret_cast<WakeUpSource*>(source)->shared = shared;
  g_source_set_ready_time(source, -1);
  g_source_attach(source, context);
  return source;
}

gboolean RunTask(gpointer data) {
  (*static_cast<LoopThread::Task*>(data))();
  return G_SOURCE_REMOVE;
}

gboolean RunRepeatingTask(gpointer data) {
  (*static_cast<LoopThread::Task*>(data))();
  return G_SOURCE_CONTINUE;
}

void DeleteTask(gpointer data) { delete static_cast<LoopThread::Task*>(data); }

}  // namespace

LoopShared::LoopShared(std::string thread_name)
    : name(std::move(thread_name)),
      context(g_main_context_new()),
      loop(g_main_loop_new(context, FALSE)),
      wake_up(MakeWakeUp(this, context)) {}

LoopThread::LoopThread(const std::string& name)
    : shared_(std::make_shared<LoopShared>(name)), thread_([shared = shared_] { shared->Run(); }) {}

LoopThread::~LoopThread() {
  if (!thread_.joinable()) return;
  Quit();
  thread_.join();
}

void LoopPoster::Post(Task task) const { shared_->Post(std::move(task)); }

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

void LoopThread::Abandon() {
  Quit();
  thread_.detach();
}

GMainContext* LoopThread::context() const { return shared_->context; }

bool LoopThread::IsCurrent() const { return thread_.get_id() == std::this_thread::get_id(); }

LoopTimer::LoopTimer(const LoopThread& loop, std::chrono::milliseconds interval, bool repeat,
                     LoopThread::Task task)
    : source_(g_timeout_source_new(static_cast<guint>(interval.count()))) {
  auto owned = std::make_unique<LoopThread::Task>(std::move(task));
  g_source_set_callback(source_, repeat ? RunRepeatingTask : RunTask, owned.release(), DeleteTask);
  g_source_attach(source_, loop.context());
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
