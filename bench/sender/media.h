/* Media that is encoded once and sent again and again: sending must cost next to nothing. */
#ifndef KVSB_BENCH_SENDER_MEDIA_H
#define KVSB_BENCH_SENDER_MEDIA_H

#include <gst/gst.h>

/* Encoded frames of one kind, in order; the first is a keyframe. */
typedef struct {
  GPtrArray* frames;         /* of GstBuffer */
  GstCaps* caps;             /* as the payloader takes them */
  guint64 frame_ns;          /* how long each lasts */
  const char* encoding_name; /* in SDP and RTP caps */
  const char* payloader;     /* element with its properties */
  guint clock_rate;          /* of RTP */
} Media;

/* 720p30 at 2 Mbit/s, a keyframe every two seconds. `vp8` chooses between VP8 and H.264. */
Media* media_encode_video(gboolean vp8);

/* Opus, 48 kHz stereo, 20 ms a frame. */
Media* media_encode_audio(void);

void media_free(Media* media);

/*
 * Frame number `index`, around and around. An H.264 frame carries the present monotonic time: a SEI
 * with user data (H.264, D.1.7) whose UUID is the text "kvs-bridge-bench", then 16 hex digits of
 * ns.
 */
GstBuffer* media_frame(const Media* media, guint64 index);

#endif
