#include "media.h"

#include <gst/app/gstappsink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two groups of pictures: the bytes differ from second to second as a camera's do. */
#define VIDEO_FRAMES "120"
#define AUDIO_FRAMES "200"

static const char kStampUuid[] = "kvs-bridge-bench";
enum { kUuidBytes = 16, kTimeDigits = 16 };

static Media* encode(const char* description) {
  GError* error = NULL;
  GstElement* pipeline = gst_parse_launch(description, &error);
  if (error != NULL) {
    fprintf(stderr, "what is sent cannot be encoded: %s\n", error->message);
    exit(1);
  }
  Media* media = g_new0(Media, 1);
  media->frames = g_ptr_array_new_with_free_func((GDestroyNotify)gst_buffer_unref);
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  for (GstSample* sample = NULL; (sample = gst_app_sink_pull_sample(GST_APP_SINK(sink))) != NULL;) {
    if (media->caps == NULL) media->caps = gst_caps_ref(gst_sample_get_caps(sample));
    /* A copy in one piece: encoders want their pools back. */
    g_ptr_array_add(media->frames, gst_buffer_copy_deep(gst_sample_get_buffer(sample)));
    gst_sample_unref(sample);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
  if (media->frames->len == 0) {
    fprintf(stderr, "nothing was encoded\n");
    exit(1);
  }
  return media;
}

Media* media_encode_video(gboolean vp8) {
  const char* picture = "videotestsrc num-buffers=" VIDEO_FRAMES
                        " horizontal-speed=3 pattern=smpte ! "
                        "video/x-raw,format=I420,width=1280,height=720,framerate=30/1 ! ";
  const char* encoder =
      vp8 ? "vp8enc deadline=1 cpu-used=8 target-bitrate=2000000 end-usage=cbr keyframe-max-dist=60"
          : "x264enc tune=zerolatency speed-preset=superfast bitrate=2000 vbv-buf-capacity=500 "
            "key-int-max=60 threads=1 option-string=scenecut=0:nal-hrd=cbr ! "
            "video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au";
  char* description = g_strconcat(picture, encoder, " ! appsink name=sink sync=false", NULL);
  Media* media = encode(description);
  g_free(description);
  media->frame_ns = GST_SECOND / 30;
  media->clock_rate = 90000;
  media->encoding_name = vp8 ? "VP8" : "H264";
  media->payloader = vp8 ? "rtpvp8pay" : "rtph264pay config-interval=0 aggregate-mode=zero-latency";
  return media;
}

Media* media_encode_audio(void) {
  Media* media = encode("audiotestsrc num-buffers=" AUDIO_FRAMES
                        " samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=2 ! "
                        "opusenc bitrate=64000 ! appsink name=sink sync=false");
  media->frame_ns = 20 * GST_MSECOND;
  media->clock_rate = 48000;
  media->encoding_name = "OPUS";
  media->payloader = "rtpopuspay";
  return media;
}

void media_free(Media* media) {
  g_ptr_array_unref(media->frames);
  gst_caps_unref(media->caps);
  g_free(media);
}

/* Where the first slice begins: parameter sets and SEI come before it. */
static gsize first_slice(const guint8* data, gsize size) {
  for (gsize at = 0; at + 4 < size; at += 1) {
    if (data[at] != 0 || data[at + 1] != 0 || data[at + 2] != 1) continue;
    const guint8 type = data[at + 3] & 0x1F;
    if (type == 1 || type == 5) return at;
  }
  return 0;
}

static GstMemory* time_stamp(void) {
  static const guint8 kHead[] = {0, 0, 1, 0x06, 5, kUuidBytes + kTimeDigits};
  char digits[kTimeDigits + 1];
  snprintf(digits, sizeof digits, "%016" G_GINT64_MODIFIER "x",
           (gint64)g_get_monotonic_time() * 1000);
  GByteArray* nal = g_byte_array_new();
  g_byte_array_append(nal, kHead, sizeof kHead);
  g_byte_array_append(nal, (const guint8*)kStampUuid, kUuidBytes);
  g_byte_array_append(nal, (const guint8*)digits, kTimeDigits);
  g_byte_array_append(nal, (const guint8*)"\x80", 1);
  const gsize size = nal->len;
  guint8* bytes = g_byte_array_free(nal, FALSE);
  return gst_memory_new_wrapped(0, bytes, size, 0, size, bytes, g_free);
}

GstBuffer* media_frame(const Media* media, guint64 index) {
  GstBuffer* whole = g_ptr_array_index(media->frames, index % media->frames->len);
  if (strcmp(media->encoding_name, "H264") != 0) return gst_buffer_copy(whole);
  GstMapInfo map;
  gst_buffer_map(whole, &map, GST_MAP_READ);
  const gsize split = first_slice(map.data, map.size);
  const gsize size = map.size;
  gst_buffer_unmap(whole, &map);
  GstBuffer* stamped = gst_buffer_copy_region(whole, GST_BUFFER_COPY_ALL, 0, split);
  gst_buffer_append_memory(stamped, time_stamp());
  GstBuffer* slices = gst_buffer_copy_region(whole, GST_BUFFER_COPY_MEMORY, split, size - split);
  return gst_buffer_append(stamped, slices);
}
