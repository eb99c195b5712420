// RAII for GLib and GStreamer handles.
//
// `Adopt*` takes over a reference that the caller owns ("transfer full"), `Share*` takes a further
// reference to something borrowed ("transfer none"). No bare owning pointer outlives its line.
#pragma once

#include <glib-object.h>
#include <gst/gst.h>

#include <memory>
#include <string>
#include <utility>

namespace kvsbridge {

/// A counted reference to a `GObject` (elements, pads, transceivers, clocks, …).
template <typename T>
class ObjectPtr {
 public:
  ObjectPtr() = default;
  ObjectPtr(const ObjectPtr& other) : object_(other.object_) { Ref(); }
  ObjectPtr(ObjectPtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  ObjectPtr& operator=(ObjectPtr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~ObjectPtr() {
    if (object_ != nullptr) g_object_unref(object_);
  }

  /// Takes over the caller's reference.
  static ObjectPtr Adopt(T* object) {
    ObjectPtr result;
    result.object_ = object;
    return result;
  }
  /// Takes a further reference to a borrowed object.
  static ObjectPtr Share(T* object) {
    ObjectPtr result = Adopt(object);
    result.Ref();
    return result;
  }
  /// Takes over a floating reference (fresh elements), making it a strong one.
  static ObjectPtr Sink(T* object) {
    if (object != nullptr) g_object_ref_sink(object);
    return Adopt(object);
  }

  [[nodiscard]] T* get() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  void reset() { *this = ObjectPtr(); }

 private:
  void Ref() {
    if (object_ != nullptr) g_object_ref(object_);
  }

  T* object_ = nullptr;
};

using ElementPtr = ObjectPtr<GstElement>;
using PadPtr = ObjectPtr<GstPad>;

/// A counted reference to a `GstMiniObject` (buffers, caps, samples, …).
template <typename T>
class MiniObjectPtr {
 public:
  MiniObjectPtr() = default;
  MiniObjectPtr(const MiniObjectPtr& other) : object_(other.object_) { Ref(); }
  MiniObjectPtr(MiniObjectPtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  MiniObjectPtr& operator=(MiniObjectPtr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~MiniObjectPtr() {
    if (object_ != nullptr) gst_mini_object_unref(GST_MINI_OBJECT_CAST(object_));
  }

  /// Takes over the caller's reference.
  static MiniObjectPtr Adopt(T* object) {
    MiniObjectPtr result;
    result.object_ = object;
    return result;
  }
  /// Takes a further reference to a borrowed object.
  static MiniObjectPtr Share(T* object) {
    MiniObjectPtr result = Adopt(object);
    result.Ref();
    return result;
  }

  [[nodiscard]] T* get() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  /// Gives the reference to a callee that takes ownership.
  [[nodiscard]] T* release() { return std::exchange(object_, nullptr); }

 private:
  void Ref() {
    if (object_ != nullptr) gst_mini_object_ref(GST_MINI_OBJECT_CAST(object_));
  }

  T* object_ = nullptr;
};

using BufferPtr = MiniObjectPtr<GstBuffer>;
using CapsPtr = MiniObjectPtr<GstCaps>;
using SamplePtr = MiniObjectPtr<GstSample>;
using MessagePtr = MiniObjectPtr<GstMessage>;
using PromisePtr = MiniObjectPtr<GstPromise>;

struct GFreeDeleter {
  void operator()(gpointer memory) const { g_free(memory); }
};
/// A string that GLib allocated.
using GCharPtr = std::unique_ptr<gchar, GFreeDeleter>;

struct GErrorDeleter {
  void operator()(GError* error) const { g_error_free(error); }
};
using GErrorPtr = std::unique_ptr<GError, GErrorDeleter>;

/// Copies a C string that may be null.
inline std::string ToString(const gchar* text) { return text == nullptr ? "" : text; }

/// Read access to a buffer's bytes for as long as it lives.
class MappedBuffer {
 public:
  explicit MappedBuffer(GstBuffer* buffer)
      : buffer_(buffer), mapped_(gst_buffer_map(buffer, &info_, GST_MAP_READ) == TRUE) {}
  MappedBuffer(const MappedBuffer&) = delete;
  MappedBuffer& operator=(const MappedBuffer&) = delete;
  ~MappedBuffer() {
    if (mapped_) gst_buffer_unmap(buffer_, &info_);
  }

  [[nodiscard]] const guint8* data() const { return mapped_ ? info_.data : nullptr; }
  [[nodiscard]] gsize size() const { return mapped_ ? info_.size : 0; }

 private:
  GstBuffer* buffer_;
  GstMapInfo info_ = {};
  bool mapped_;
};

}  // namespace kvsbridge
