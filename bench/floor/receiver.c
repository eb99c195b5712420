/*
 * The floor of the CPU benchmark: the least that a receiver of H.264 and Opus can be which stores
 * Matroska with AAC. No supervision, no epochs, no upload; one pipeline in one process.
 *
 *   kvsb_floor_receiver [offer|answer] [--no-audio] [--latency-ms <n>] [--output <file>]
 *
 * It offers unless told otherwise. It speaks lines, so that any signaling can be put around it.
 * Both ways:
 *
 *   offer <base64 of the SDP>
 *   answer <base64 of the SDP>
 *   candidate <m-line index> <candidate>
 *
 * Besides, it writes "connected" once media can flow, "error <text>" before it fails, and
 * "frames <n>" (video frames received) at its end, which comes with "stop" or the end of stdin.
 */
#include <gst/gst.h>
#include <gst/webrtc/webrtc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  GMainLoop* loop;
  GstElement* pipeline;
  GstElement* webrtc;
  gboolean offers;
  gint frames; /* atomic: counted on the streaming thread */
  int exit_code;
} Receiver;

/* stdio locks the stream per call, so lines of several threads do not mix. */
static void write_line(const char* line) {
  puts(line);
  fflush(stdout);
}

static void write_description(const char* type, const GstSDPMessage* sdp) {
  gchar* text = gst_sdp_message_as_text(sdp);
  gchar* encoded = g_base64_encode((const guchar*)text, strlen(text));
  gchar* line = g_strconcat(type, " ", encoded, NULL);
  write_line(line);
  g_free(line);
  g_free(encoded);
  g_free(text);
}

static void fail(Receiver* self, const char* text) {
  gchar* line = g_strconcat("error ", text, NULL);
  write_line(line);
  g_free(line);
  self->exit_code = 1;
  g_main_loop_quit(self->loop);
}

static void on_description_created(GstPromise* promise, gpointer data) {
  Receiver* self = data;
  const char* type = self->offers ? "offer" : "answer";
  const GstStructure* reply = gst_promise_get_reply(promise);
  GstWebRTCSessionDescription* description = NULL;
  if (reply != NULL) {
    gst_structure_get(reply, type, GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &description, NULL);
  }
  gst_promise_unref(promise);
  if (description == NULL) {
    fail(self, "webrtcbin created no description");
    return;
  }
  g_signal_emit_by_name(self->webrtc, "set-local-description", description, NULL);
  write_description(type, description->sdp);
  gst_webrtc_session_description_free(description);
}

static void create_offer(Receiver* self) {
  GstPromise* promise = gst_promise_new_with_change_func(on_description_created, self, NULL);
  g_signal_emit_by_name(self->webrtc, "create-offer", NULL, promise);
}

static void on_offer_set(GstPromise* promise, gpointer data) {
  Receiver* self = data;
  gst_promise_unref(promise);
  GstPromise* answer = gst_promise_new_with_change_func(on_description_created, self, NULL);
  g_signal_emit_by_name(self->webrtc, "create-answer", NULL, answer);
}

static void set_remote_description(Receiver* self, const char* encoded) {
  gsize size = 0;
  guchar* text = g_base64_decode(encoded, &size);
  GstSDPMessage* sdp = NULL;
  gst_sdp_message_new(&sdp);
  const GstSDPResult parsed = gst_sdp_message_parse_buffer(text, (guint)size, sdp);
  g_free(text);
  if (parsed != GST_SDP_OK) {
    gst_sdp_message_free(sdp);
    fail(self, "the SDP is not valid");
    return;
  }
  GstWebRTCSessionDescription* description = gst_webrtc_session_description_new(
      self->offers ? GST_WEBRTC_SDP_TYPE_ANSWER : GST_WEBRTC_SDP_TYPE_OFFER, sdp);
  GstPromise* promise =
      self->offers ? NULL : gst_promise_new_with_change_func(on_offer_set, self, NULL);
  g_signal_emit_by_name(self->webrtc, "set-remote-description", description, promise);
  gst_webrtc_session_description_free(description);
}

static void on_local_candidate(GstElement* webrtc, guint m_line_index, gchar* candidate,
                               gpointer data) {
  (void)webrtc;
  (void)data;
  gchar* line = g_strdup_printf("candidate %u %s", m_line_index, candidate);
  write_line(line);
  g_free(line);
}

static void on_connection_state(GstElement* webrtc, GParamSpec* property, gpointer data) {
  (void)property;
  (void)data;
  GstWebRTCPeerConnectionState state = GST_WEBRTC_PEER_CONNECTION_STATE_NEW;
  g_object_get(webrtc, "connection-state", &state, NULL);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED) write_line("connected");
}

/* The branches stand from the beginning, so that the muxer knows its tracks. */
static void on_pad_added(GstElement* webrtc, GstPad* pad, gpointer data) {
  (void)webrtc;
  Receiver* self = data;
  if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC) return;
  GstCaps* caps = gst_pad_get_current_caps(pad);
  const char* media =
      caps == NULL ? NULL : gst_structure_get_string(gst_caps_get_structure(caps, 0), "media");
  GstElement* branch = media == NULL ? NULL : gst_bin_get_by_name(GST_BIN(self->pipeline), media);
  if (branch != NULL) {
    GstPad* sink = gst_element_get_static_pad(branch, "sink");
    gst_pad_link(pad, sink);
    gst_object_unref(sink);
    gst_object_unref(branch);
  }
  if (caps != NULL) gst_caps_unref(caps);
}

static GstPadProbeReturn count_frame(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  (void)pad;
  (void)info;
  Receiver* self = data;
  g_atomic_int_inc(&self->frames);
  return GST_PAD_PROBE_OK;
}

static gboolean on_bus_message(GstBus* bus, GstMessage* message, gpointer data) {
  (void)bus;
  Receiver* self = data;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError* error = NULL;
    gst_message_parse_error(message, &error, NULL);
    fail(self, error->message);
    g_error_free(error);
  }
  return G_SOURCE_CONTINUE;
}

static void obey(Receiver* self, const char* line) {
  unsigned m_line_index = 0;
  int text_at = 0;
  if (g_str_has_prefix(line, "offer ") || g_str_has_prefix(line, "answer ")) {
    set_remote_description(self, strchr(line, ' ') + 1);
  } else if (sscanf(line, "candidate %u %n", &m_line_index, &text_at) == 1 && text_at > 0) {
    g_signal_emit_by_name(self->webrtc, "add-ice-candidate", m_line_index, line + text_at);
  } else if (strcmp(line, "stop") == 0) {
    g_main_loop_quit(self->loop);
  } else {
    fail(self, "a line that is not understood");
  }
}

static gboolean on_stdin(GIOChannel* channel, GIOCondition condition, gpointer data) {
  (void)condition;
  Receiver* self = data;
  gchar* line = NULL;
  gsize terminator = 0;
  const GIOStatus status = g_io_channel_read_line(channel, &line, NULL, &terminator, NULL);
  if (status == G_IO_STATUS_NORMAL) {
    line[terminator] = '\0';
    obey(self, line);
    g_free(line);
    return G_SOURCE_CONTINUE;
  }
  if (status == G_IO_STATUS_AGAIN) return G_SOURCE_CONTINUE;
  g_main_loop_quit(self->loop);
  return G_SOURCE_REMOVE;
}

static void add_transceiver(Receiver* self, const char* caps_text) {
  GstCaps* caps = gst_caps_from_string(caps_text);
  GstWebRTCRTPTransceiver* transceiver = NULL;
  g_signal_emit_by_name(self->webrtc, "add-transceiver",
                        GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps, &transceiver);
  g_object_set(transceiver, "do-nack", TRUE, NULL);
  gst_object_unref(transceiver);
  gst_caps_unref(caps);
}

static GstElement* build_pipeline(gboolean audio, guint latency_ms, const char* output) {
  GString* text = g_string_new(NULL);
  g_string_append_printf(text, "webrtcbin name=webrtc bundle-policy=max-bundle latency=%u ",
                         latency_ms);
  g_string_append(text, "matroskamux name=mux streamable=true ! ");
  if (output == NULL) {
    g_string_append(text, "fakesink sync=false async=false ");
  } else {
    g_string_append_printf(text, "filesink sync=false async=false location=\"%s\" ", output);
  }
  g_string_append(text, "rtph264depay name=video ! h264parse ! mux. ");
  if (audio) {
    g_string_append(text, "rtpopusdepay name=audio ! opusdec ! audioconvert ! avenc_aac ! ");
    g_string_append(text, "aacparse ! mux. ");
  }
  GError* error = NULL;
  GstElement* pipeline = gst_parse_launch(text->str, &error);
  if (error != NULL) {
    fprintf(stderr, "the pipeline cannot be built: %s\n", error->message);
    exit(1);
  }
  g_string_free(text, TRUE);
  return pipeline;
}

int main(int argc, char** argv) {
  gboolean no_audio = FALSE;
  gint latency_ms = 200;
  gchar* output = NULL;
  const GOptionEntry entries[] = {
      {"no-audio", 0, 0, G_OPTION_ARG_NONE, &no_audio, "Video only", NULL},
      {"latency-ms", 0, 0, G_OPTION_ARG_INT, &latency_ms, "Jitter buffer", "N"},
      {"output", 0, 0, G_OPTION_ARG_FILENAME, &output, "Matroska file to write", "FILE"},
      {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
  GOptionContext* options = g_option_context_new("[offer|answer]");
  g_option_context_add_main_entries(options, entries, NULL);
  g_option_context_add_group(options, gst_init_get_option_group());
  GError* error = NULL;
  const gboolean parsed = g_option_context_parse(options, &argc, &argv, &error);
  const char* mode = argc < 2 ? "offer" : argv[1];
  if (!parsed || argc > 2 || (strcmp(mode, "offer") != 0 && strcmp(mode, "answer") != 0)) {
    fprintf(stderr, "%s\n", error == NULL ? "say offer or answer" : error->message);
    return 2;
  }
  g_option_context_free(options);

  Receiver self = {.loop = g_main_loop_new(NULL, FALSE),
                   .pipeline = build_pipeline(!no_audio, (guint)latency_ms, output),
                   .offers = strcmp(mode, "offer") == 0};
  self.webrtc = gst_bin_get_by_name(GST_BIN(self.pipeline), "webrtc");
  g_signal_connect(self.webrtc, "on-ice-candidate", G_CALLBACK(on_local_candidate), &self);
  g_signal_connect(self.webrtc, "notify::connection-state", G_CALLBACK(on_connection_state), &self);
  g_signal_connect(self.webrtc, "pad-added", G_CALLBACK(on_pad_added), &self);

  GstElement* video = gst_bin_get_by_name(GST_BIN(self.pipeline), "video");
  GstPad* frames = gst_element_get_static_pad(video, "src");
  gst_pad_add_probe(frames, GST_PAD_PROBE_TYPE_BUFFER, count_frame, &self, NULL);
  gst_object_unref(frames);
  gst_object_unref(video);

  GstBus* bus = gst_element_get_bus(self.pipeline);
  gst_bus_add_watch(bus, on_bus_message, &self);
  gst_object_unref(bus);
  GIOChannel* channel = g_io_channel_unix_new(fileno(stdin));
  g_io_add_watch(channel, G_IO_IN | G_IO_HUP, on_stdin, &self);

  gst_element_set_state(self.pipeline, GST_STATE_PLAYING);
  if (self.offers) {
    add_transceiver(&self,
                    "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,"
                    "payload=96,packetization-mode=(string)1,"
                    "profile-level-id=(string)42e01f,rtcp-fb-nack=(boolean)true,"
                    "rtcp-fb-nack-pli=(boolean)true");
    if (!no_audio) {
      add_transceiver(&self,
                      "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,"
                      "payload=97,encoding-params=(string)2");
    }
    create_offer(&self);
  }
  g_main_loop_run(self.loop);

  gst_element_set_state(self.pipeline, GST_STATE_NULL);
  gchar* line = g_strdup_printf("frames %d", g_atomic_int_get(&self.frames));
  write_line(line);
  g_free(line);
  g_io_channel_unref(channel);
  gst_bus_remove_watch(bus);
  gst_object_unref(self.webrtc);
  gst_object_unref(self.pipeline);
  g_main_loop_unref(self.loop);
  g_free(output);
  return self.exit_code;
}
