// What tracks are built from: elements, where their output goes, what becomes of it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "glib/ptr.h"

namespace kvsbridge {

class VideoTranscoder;

/// A sample with its running time, as it left a track's last element.
struct TrackSample {
  SamplePtr sample;
  GstClockTime running_time = 0;
};

/// Where a track's output goes. Called on its streaming thread: copy, post, return.
struct TrackHandlers {
  std::function<void(TrackSample)> on_sample;
  std::function<void()> on_eos;
  /// Packets of video were lost, before the frames that come next.
  std::function<void(unsigned packets)> on_lost;
  /// Packets were lost: the sender must give a keyframe before video goes on.
  std::function<void()> on_loss;
  /// Video frames that came and will not be given to `on_sample`. @param reason a literal
  std::function<void(unsigned frames, const char* reason)> on_dropped;
};

/// The elements of a track, each linked to the next.
struct TrackParts {
  std::vector<ElementPtr> elements;
  /// Which element gives out the sender's frames: whole, parsed, still coded as they came.
  std::size_t coded = 0;
  /// What the last element gives out, such as "H264", "AAC".
  std::string stored_as;
  /// Set when video is decoded and encoded again.
  std::shared_ptr<VideoTranscoder> transcoder;
};

/// An appsink that hands samples to `handlers` as soon as they come.
ElementPtr MakeTrackSink(const std::string& name, const char* caps_text, TrackHandlers handlers);

/// A filter that lets only these caps through.
ElementPtr MakeCapsFilter(const std::string& name, const std::string& caps_text);

/// True when this version of the element has the property.
bool HasProperty(GstElement* element, const char* property);

/// Sets a boolean property where this version of the element has it.
void SetFlagIfKnown(GstElement* element, const char* property, bool value);

}  // namespace kvsbridge
