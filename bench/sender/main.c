/*
 * The masters of the benchmarks, any number of them in one process: H.264 (or VP8) and Opus,
 * encoded once and sent from memory, so that twenty leave most of two cores to what is measured.
 *
 *   kvsb_sender [vp8]
 *
 * It writes "ready", then speaks lines; <id> is the caller's number of a viewer:
 *
 *   in:  offer <id> <base64 of the SDP>
 *        candidate <id> <m-line index> <candidate>
 *        close <id>
 *   out: answer <id> <base64 of the SDP>
 *        candidate <id> <m-line index> <candidate>
 *        connected <id>
 *
 * It ends with stdin.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "peer.h"

/* Frames go out on this beat: finer than any frame, and few wake-ups for many senders. */
static const gulong kTickUs = 2500;

typedef struct {
  const Media* video;
  const Media* audio;
  GMutex lock;       /* guards what follows */
  GHashTable* peers; /* id -> Peer */
  gboolean ends;
} Sender;

static gpointer pace(gpointer data) {
  Sender* sender = data;
  GstClock* clock = gst_system_clock_obtain();
  for (gboolean ends = FALSE; !ends;) {
    g_usleep(kTickUs);
    g_mutex_lock(&sender->lock);
    GHashTableIter peers;
    gpointer peer = NULL;
    g_hash_table_iter_init(&peers, sender->peers);
    while (g_hash_table_iter_next(&peers, NULL, &peer)) {
      peer_send_due(peer, gst_clock_get_time(clock));
    }
    ends = sender->ends;
    g_mutex_unlock(&sender->lock);
  }
  gst_object_unref(clock);
  return NULL;
}

static void obey(Sender* sender, char* line) {
  guint id = 0;
  guint m_line_index = 0;
  int text_at = 0;
  if (sscanf(line, "offer %u %n", &id, &text_at) == 1 && text_at > 0) {
    Peer* peer = peer_new(id, line + text_at, sender->video, sender->audio);
    g_hash_table_replace(sender->peers, GUINT_TO_POINTER(id), peer);
  } else if (sscanf(line, "candidate %u %u %n", &id, &m_line_index, &text_at) == 2 && text_at > 0) {
    Peer* peer = g_hash_table_lookup(sender->peers, GUINT_TO_POINTER(id));
    if (peer != NULL) peer_add_candidate(peer, m_line_index, line + text_at);
  } else if (sscanf(line, "close %u", &id) == 1) {
    g_hash_table_remove(sender->peers, GUINT_TO_POINTER(id));
  } else {
    fprintf(stderr, "a line that is not understood\n");
  }
}

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  Media* video = media_encode_video(argc > 1 && strcmp(argv[1], "vp8") == 0);
  Media* audio = media_encode_audio();
  Sender sender = {.video = video, .audio = audio};
  g_mutex_init(&sender.lock);
  sender.peers = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)peer_free);
  GThread* pacer = g_thread_new("pacer", pace, &sender);
  puts("ready");
  fflush(stdout);

  GIOChannel* channel = g_io_channel_unix_new(fileno(stdin));
  gchar* line = NULL;
  gsize end = 0;
  while (g_io_channel_read_line(channel, &line, NULL, &end, NULL) == G_IO_STATUS_NORMAL) {
    line[end] = '\0';
    g_mutex_lock(&sender.lock);
    obey(&sender, line);
    g_mutex_unlock(&sender.lock);
    g_free(line);
  }
  g_io_channel_unref(channel);

  g_mutex_lock(&sender.lock);
  sender.ends = TRUE;
  g_mutex_unlock(&sender.lock);
  g_thread_join(pacer);
  g_hash_table_unref(sender.peers);
  g_mutex_clear(&sender.lock);
  media_free(video);
  media_free(audio);
  return 0;
}
