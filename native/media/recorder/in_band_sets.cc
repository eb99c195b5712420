#include "media/recorder/in_band_sets.h"

#include <utility>

#include "media/recorder/nal_units.h"

namespace kvsbridge {
namespace {

bool Same(const VideoFormat* a, const VideoFormat* b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

}  // namespace

void InBandSets::OnEpoch(std::shared_ptr<const VideoFormat> declared) {
  active_ = declared;
  declared_ = std::move(declared);
}

void InBandSets::Apply(VideoFrame& frame) {
  const bool known = Same(frame.format.get(), active_.get());
  const bool declared = Same(frame.format.get(), declared_.get());
  if (known && (declared || !frame.keyframe)) return;
  active_ = frame.format;
  const Bytes sets = ParameterSets(*frame.format);
  if (sets.empty()) return;
  auto joined = BufferPtr::Adopt(gst_buffer_new_memdup(sets.data(), sets.size()));
  gst_buffer_copy_into(joined.get(), frame.data.get(), GST_BUFFER_COPY_MEMORY, 0,
                       static_cast<gsize>(-1));
  frame.data = std::move(joined);
}

}  // namespace kvsbridge
