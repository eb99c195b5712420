/* One viewer's connection: a webrtcbin that answers an offer and is handed encoded frames. */
#ifndef KVSB_BENCH_SENDER_PEER_H
#define KVSB_BENCH_SENDER_PEER_H

#include "media.h"

typedef struct Peer Peer;

/*
 * Answers the offer with what it takes of `video` and `audio`, which outlive the peer. Lines go to
 * stdout: "answer", "candidate" and "connected", each followed by `id`.
 */
Peer* peer_new(guint id, const char* offer_base64, const Media* video, const Media* audio);

void peer_add_candidate(Peer* peer, guint m_line_index, const char* candidate);

/* Sends all frames that are due, once there is a connection. One thread. */
void peer_send_due(Peer* peer, GstClockTime now);

void peer_free(Peer* peer);

#endif
