// Makes GLib's locks visible to ThreadSanitizer.
//
// GLib is not built with the sanitizer and locks with futexes of its own, so TSan would take every
// hand-over through a GMutex or a main context for a race. The functions below stand in front of
// GLib's: GStreamer's calls come here as well, because the executable's symbols go first. Linked
// into the tests only; without TSan this file is empty.
#if defined(__SANITIZE_THREAD__)

#include <dlfcn.h>
#include <glib.h>
#include <sanitizer/tsan_interface.h>

namespace {

/// The function that the one of this name stands in front of.
template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// The callback of an idle or timeout source, which a main context hands from the thread that
/// attaches the source to its own.
struct Handover {
  GSourceFunc function;
  gpointer data;
  GDestroyNotify destroy;
};

gboolean RunHandover(gpointer pointer) {
  auto* handover = static_cast<Handover*>(pointer);
  __tsan_acquire(handover);
  return handover->function(handover->data);
}

void DestroyHandover(gpointer pointer) {
  auto* handover = static_cast<Handover*>(pointer);
  __tsan_acquire(handover);
  if (handover->destroy != nullptr) handover->destroy(handover->data);
  delete handover;
}

}  // namespace

#define KVSB_EXPORT __attribute__((visibility("default")))
#define KVSB_NEXT(function) static auto* const next = Next<decltype(function)>(#function)

extern "C" {

// The names are GLib's: a function of another name would stand in for nothing.
// NOLINTBEGIN(readability-identifier-naming,readability-inconsistent-declaration-parameter-name)
KVSB_EXPORT void g_mutex_lock(GMutex* mutex) {
  KVSB_NEXT(g_mutex_lock);
  next(mutex);
  __tsan_acquire(mutex);
}

KVSB_EXPORT gboolean g_mutex_trylock(GMutex* mutex) {
  KVSB_NEXT(g_mutex_trylock);
  const gboolean locked = next(mutex);
  if (locked == TRUE) __tsan_acquire(mutex);
  return locked;
}

KVSB_EXPORT void g_mutex_unlock(GMutex* mutex) {
  KVSB_NEXT(g_mutex_unlock);
  __tsan_release(mutex);
  next(mutex);
}

KVSB_EXPORT void g_rec_mutex_lock(GRecMutex* mutex) {
  KVSB_NEXT(g_rec_mutex_lock);
  next(mutex);
  __tsan_acquire(mutex);
}

KVSB_EXPORT gboolean g_rec_mutex_trylock(GRecMutex* mutex) {
  KVSB_NEXT(g_rec_mutex_trylock);
  const gboolean locked = next(mutex);
  if (locked == TRUE) __tsan_acquire(mutex);
  return locked;
}

KVSB_EXPORT void g_rec_mutex_unlock(GRecMutex* mutex) {
  KVSB_NEXT(g_rec_mutex_unlock);
  __tsan_release(mutex);
  next(mutex);
}

KVSB_EXPORT void g_cond_wait(GCond* cond, GMutex* mutex) {
  KVSB_NEXT(g_cond_wait);
  __tsan_release(mutex);
  next(cond, mutex);
  __tsan_acquire(mutex);
}

KVSB_EXPORT gboolean g_cond_wait_until(GCond* cond, GMutex* mutex, gint64 end_time) {
  KVSB_NEXT(g_cond_wait_until);
  __tsan_release(mutex);
  const gboolean signalled = next(cond, mutex, end_time);
  __tsan_acquire(mutex);
  return signalled;
}

KVSB_EXPORT void g_source_set_callback(GSource* source, GSourceFunc function, gpointer data,
                                       GDestroyNotify destroy) {
  KVSB_NEXT(g_source_set_callback);
  // Other sources, such as a bus watch, call back with arguments of their own.
  if (source->source_funcs != &g_idle_funcs && source->source_funcs != &g_timeout_funcs) {
    next(source, function, data, destroy);
    return;
  }
  auto* handover = new Handover{function, data, destroy};
  __tsan_release(handover);
  next(source, RunHandover, handover, DestroyHandover);
}
// NOLINTEND(readability-identifier-naming,readability-inconsistent-declaration-parameter-name)

}  // extern "C"

#endif
