// What the test master sends: formats, and the shapes that real senders give them.
#pragma once

#include <string>

namespace kvsbridge {

enum class TestVideoCodec { kH264, kH265, kVp8, kVp9, kAv1 };
enum class TestAudioCodec { kOpus, kPcmu, kPcma };

/// RTP encoding name, such as "H264" or "OPUS".
const char* EncodingName(TestVideoCodec codec);
const char* EncodingName(TestAudioCodec codec);

/// What a sender does about keyframes.
enum class KeyframePolicy {
  kOnRequest,  ///< one at the start, every 10 s, and for each PLI or FIR
  kOnFir,      ///< as kOnRequest, deaf to PLI
  kFirstOnly,  ///< one at the start, then none whoever asks
  kNever,      ///< none at all: keyframes are encoded and thrown away
};

/// A sender's clocks that are off. All zero: they are right.
struct ClockFault {
  /// How much too fast the device's own clock runs, which paces capture and RTP timestamps.
  double rtp_skew_ppm = 0;
  /// How much too fast the NTP times of its sender reports run.
  double ntp_skew_ppm = 0;
  /// What the RTP timestamps jump by, once.
  int rtp_step_ms = 0;
  /// What the NTP times of sender reports jump by, once.
  int ntp_step_ms = 0;
  /// When the steps happen, after the first packet.
  unsigned step_after_ms = 0;
};

/// How a sender's media differ from a browser's. The H.264 ones need TestVideoCodec::kH264.
struct SenderShape {
  /// H.264 main profile, two B-frames between references, two frames of delay.
  bool b_frames = false;
  /// H.264: four slices in each picture.
  bool slices = false;
  /// H.264: an access unit delimiter and a picture timing SEI in each access unit.
  bool au_sei = false;
  /// H.264: SPS and PPS in the answer's sprop-parameter-sets and never in the stream.
  bool parameter_sets_out_of_band = false;
  /// H.264: no VUI in the SPS. x264 always writes one, so it is taken out behind it.
  bool strip_vui = false;
  KeyframePolicy keyframes = KeyframePolicy::kOnRequest;
  /// Opus: next to nothing is sent in silence, which is all but 50 ms of each second.
  bool opus_dtx = false;
  /// Opus: a quiet 440 Hz tone on the left channel alone, beside the tick on both.
  bool left_tone = false;
  /// The number that the first picture shows, see `BurnCounterAt`.
  unsigned first_frame = 0;
  ClockFault clock;
};

/// What to send.
struct TestSourceOptions {
  unsigned width = 1280;
  unsigned height = 720;
  unsigned frame_rate = 30;
  unsigned video_bitrate_bps = 2'000'000;
  bool audio = true;
  bool video = true;
  TestVideoCodec video_codec = TestVideoCodec::kH264;
  TestAudioCodec audio_codec = TestAudioCodec::kOpus;
  SenderShape shape;
};

/// @throws MediaError (kOptions) for a shape that the codec cannot take
void CheckTestSource(const TestSourceOptions& options);

}  // namespace kvsbridge
