#include "media/publisher/test_format.h"

#include "media/media_error.h"

namespace kvsbridge {

const char* EncodingName(TestVideoCodec codec) {
  switch (codec) {
    case TestVideoCodec::kH264:
      return "H264";
    case TestVideoCodec::kH265:
      return "H265";
    case TestVideoCodec::kVp8:
      return "VP8";
    case TestVideoCodec::kVp9:
      return "VP9";
    case TestVideoCodec::kAv1:
      return "AV1";
  }
  return "";
}

const char* EncodingName(TestAudioCodec codec) {
  switch (codec) {
    case TestAudioCodec::kOpus:
      return "OPUS";
    case TestAudioCodec::kPcmu:
      return "PCMU";
    case TestAudioCodec::kPcma:
      return "PCMA";
  }
  return "";
}

void CheckTestSource(const TestSourceOptions& options) {
  const SenderShape& shape = options.shape;
  const bool h264_shape = shape.b_frames || shape.slices || shape.au_sei ||
                          shape.parameter_sets_out_of_band || shape.strip_vui;
  if (h264_shape && options.video_codec != TestVideoCodec::kH264) {
    throw MediaError(ErrorKind::kOptions,
                     "B-frames, slices, SEI, parameter sets and VUI are shapes of H.264 alone");
  }
  if (shape.strip_vui && shape.parameter_sets_out_of_band) {
    throw MediaError(ErrorKind::kOptions, "the VUI is only taken out of parameter sets in band");
  }
  if ((shape.opus_dtx || shape.left_tone) && options.audio_codec != TestAudioCodec::kOpus) {
    throw MediaError(ErrorKind::kOptions, "DTX and the left tone are shapes of Opus alone");
  }
  const bool chroma_needs_even =
      options.video_codec == TestVideoCodec::kH264 || options.video_codec == TestVideoCodec::kH265;
  if (chroma_needs_even && (options.width % 2 != 0 || options.height % 2 != 0)) {
    throw MediaError(ErrorKind::kOptions, "H.264 and H.265 take even picture sizes only");
  }
  if (!options.audio && !options.video) {
    throw MediaError(ErrorKind::kOptions, "a master must send video, audio or both");
  }
}

}  // namespace kvsbridge
