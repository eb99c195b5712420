#include "peer.h"

#include <gst/sdp/sdp.h>
#include <gst/video/video.h>
#include <gst/webrtc/webrtc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One kind of media on its way. Its pad is pushed by the pacing thread: no queue, no wake-up. */
typedef struct {
  const Media* media;
  GstPad* source;    /* NULL when the viewer does not take it */
  GstClockTime next; /* when the next frame is due, by the system clock */
  guint64 index;
  gint restart; /* atomic: the viewer asked for a keyframe */
} Track;

struct Peer {
  guint id;
  GstElement* pipeline;
  GstElement* webrtc;
  Track video;
  Track audio;
  gint connected; /* atomic: set on a thread of webrtcbin */
  gboolean started;
};

/* stdio locks the stream per call, so lines of several threads do not mix. */
static void write_line(gchar* line) {
  puts(line);
  fflush(stdout);
  g_free(line);
}

/* Payload type under which the offer has the encoding, or -1. */
static int offered_payload(const GstSDPMessage* offer, const char* encoding_name) {
  for (guint i = 0; i < gst_sdp_message_medias_len(offer); i += 1) {
    const GstSDPMedia* media = gst_sdp_message_get_media(offer, i);
    for (guint j = 0; j < gst_sdp_media_attributes_len(media); j += 1) {
      const GstSDPAttribute* attribute = gst_sdp_media_get_attribute(media, j);
      if (g_strcmp0(attribute->key, "rtpmap") != 0) continue;
      const char* name = strchr(attribute->value, ' ');
      const gsize length = strlen(encoding_name);
      if (name == NULL || g_ascii_strncasecmp(name + 1, encoding_name, length) != 0) continue;
      if (name[1 + length] == '/') return atoi(attribute->value);
    }
  }
  return -1;
}

static gboolean on_source_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  Track* track = gst_pad_get_element_private(pad);
  if (gst_video_event_is_force_key_unit(event)) g_atomic_int_set(&track->restart, TRUE);
  return gst_pad_event_default(pad, parent, event);
}

static void add_track(Peer* peer, Track* track, const Media* media, const GstSDPMessage* offer) {
  const int payload = offered_payload(offer, media->encoding_name);
  if (payload < 0) return;
  const gboolean is_video = media->clock_rate == 90000;
  gchar* description = g_strdup_printf(
      "%s pt=%d mtu=1200 ! capsfilter "
      "caps=application/x-rtp,media=%s,encoding-name=%s,clock-rate=%u,payload=%d",
      media->payloader, payload, is_video ? "video" : "audio", media->encoding_name,
      media->clock_rate, payload);
  GError* error = NULL;
  GstElement* bin = gst_parse_bin_from_description(description, TRUE, &error);
  g_free(description);
  if (error != NULL) {
    fprintf(stderr, "no payloader: %s\n", error->message);
    exit(1);
  }
  gst_bin_add(GST_BIN(peer->pipeline), bin);
  GstPad* packets = gst_element_get_static_pad(bin, "src");
  GstPad* sender = gst_element_request_pad_simple(peer->webrtc, "sink_%u");
  gst_pad_link(packets, sender);
  GstWebRTCRTPTransceiver* transceiver = NULL;
  g_object_get(sender, "transceiver", &transceiver, NULL);
  g_object_set(transceiver, "direction", GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, "do-nack",
               is_video, NULL);
  gst_object_unref(transceiver);
  gst_object_unref(packets);
  gst_object_unref(sender);

  track->media = media;
  track->source = gst_pad_new(NULL, GST_PAD_SRC);
  gst_pad_set_element_private(track->source, track);
  gst_pad_set_event_function(track->source, on_source_event);
  GstPad* sink = gst_element_get_static_pad(bin, "sink");
  gst_pad_link(track->source, sink);
  gst_object_unref(sink);
}

static void on_local_candidate(GstElement* webrtc, guint m_line_index, gchar* candidate,
                               gpointer data) {
  (void)webrtc;
  const Peer* peer = data;
  write_line(g_strdup_printf("candidate %u %u %s", peer->id, m_line_index, candidate));
}

static void on_connection_state(GstElement* webrtc, GParamSpec* property, gpointer data) {
  (void)property;
  Peer* peer = data;
  GstWebRTCPeerConnectionState state = GST_WEBRTC_PEER_CONNECTION_STATE_NEW;
  g_object_get(webrtc, "connection-state", &state, NULL);
  if (state != GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED) return;
  g_atomic_int_set(&peer->connected, TRUE);
  write_line(g_strdup_printf("connected %u", peer->id));
}

static void on_answer_created(GstPromise* promise, gpointer data) {
  Peer* peer = data;
  GstWebRTCSessionDescription* answer = NULL;
  const GstStructure* reply = gst_promise_get_reply(promise);
  if (reply != NULL) {
    gst_structure_get(reply, "answer", GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &answer, NULL);
  }
  gst_promise_unref(promise);
  if (answer == NULL) return; /* the viewer left, or offered anew, before it was answered */
  g_signal_emit_by_name(peer->webrtc, "set-local-description", answer, NULL);
  gchar* text = gst_sdp_message_as_text(answer->sdp);
  gchar* encoded = g_base64_encode((const guchar*)text, strlen(text));
  write_line(g_strdup_printf("answer %u %s", peer->id, encoded));
  g_free(encoded);
  g_free(text);
  gst_webrtc_session_description_free(answer);
}

static void on_offer_set(GstPromise* promise, gpointer data) {
  Peer* peer = data;
  gst_promise_unref(promise);
  GstPromise* answer = gst_promise_new_with_change_func(on_answer_created, peer, NULL);
  g_signal_emit_by_name(peer->webrtc, "create-answer", NULL, answer);
}

Peer* peer_new(guint id, const char* offer_base64, const Media* video, const Media* audio) {
  gsize size = 0;
  guchar* text = g_base64_decode(offer_base64, &size);
  GstSDPMessage* sdp = NULL;
  gst_sdp_message_new(&sdp);
  if (gst_sdp_message_parse_buffer(text, (guint)size, sdp) != GST_SDP_OK) {
    fprintf(stderr, "the offer is not valid\n");
    exit(1);
  }
  g_free(text);
  Peer* peer = g_new0(Peer, 1);
  peer->id = id;
  peer->pipeline = gst_pipeline_new(NULL);
  peer->webrtc = gst_element_factory_make("webrtcbin", NULL);
  g_object_set(peer->webrtc, "bundle-policy", GST_WEBRTC_BUNDLE_POLICY_MAX_BUNDLE, NULL);
  gst_bin_add(GST_BIN(peer->pipeline), peer->webrtc);
  g_signal_connect(peer->webrtc, "on-ice-candidate", G_CALLBACK(on_local_candidate), peer);
  g_signal_connect(peer->webrtc, "notify::connection-state", G_CALLBACK(on_connection_state), peer);
  add_track(peer, &peer->video, video, sdp);
  add_track(peer, &peer->audio, audio, sdp);
  gst_element_set_state(peer->pipeline, GST_STATE_PLAYING);
  GstWebRTCSessionDescription* offer =
      gst_webrtc_session_description_new(GST_WEBRTC_SDP_TYPE_OFFER, sdp);
  GstPromise* promise = gst_promise_new_with_change_func(on_offer_set, peer, NULL);
  g_signal_emit_by_name(peer->webrtc, "set-remote-description", offer, promise);
  gst_webrtc_session_description_free(offer);
  return peer;
}

void peer_add_candidate(Peer* peer, guint m_line_index, const char* candidate) {
  g_signal_emit_by_name(peer->webrtc, "add-ice-candidate", m_line_index, candidate);
}

static void start_track(Track* track, GstClockTime now) {
  if (track->source == NULL) return;
  track->next = now;
  gst_pad_set_active(track->source, TRUE);
  gst_pad_push_event(track->source, gst_event_new_stream_start("bench"));
  gst_pad_push_event(track->source, gst_event_new_caps(track->media->caps));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(track->source, gst_event_new_segment(&segment));
}

/* One frame a beat: what a machine that stood still held up must not come as one burst, which no
 * camera sends and no socket's buffer holds. */
static void send_due(Track* track, GstClockTime now, GstClockTime base) {
  if (track->source == NULL || track->next > now) return;
  if (g_atomic_int_compare_and_exchange(&track->restart, TRUE, FALSE)) track->index = 0;
  GstBuffer* frame = media_frame(track->media, track->index);
  track->index += 1;
  GST_BUFFER_PTS(frame) = track->next > base ? track->next - base : 0;
  GST_BUFFER_DTS(frame) = GST_BUFFER_PTS(frame);
  GST_BUFFER_DURATION(frame) = track->media->frame_ns;
  gst_pad_push(track->source, frame);
  track->next += track->media->frame_ns;
}

void peer_send_due(Peer* peer, GstClockTime now) {
  if (!g_atomic_int_get(&peer->connected)) return;
  if (!peer->started) {
    start_track(&peer->video, now);
    start_track(&peer->audio, now);
    peer->started = TRUE;
  }
  const GstClockTime base = gst_element_get_base_time(peer->pipeline);
  send_due(&peer->video, now, base);
  send_due(&peer->audio, now, base);
}

static void free_track(Track* track) {
  if (track->source == NULL) return;
  gst_pad_set_active(track->source, FALSE);
  gst_object_unref(track->source);
}

void peer_free(Peer* peer) {
  gst_element_set_state(peer->pipeline, GST_STATE_NULL);
  free_track(&peer->video);
  free_track(&peer->audio);
  gst_object_unref(peer->pipeline);
  g_free(peer);
}
