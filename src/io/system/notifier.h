/*
 * notifier.h - tells other threads and event loops that calls have ended.
 *
 * There are two ways: a descriptor that becomes readable, after which the host asks which calls ended;
 * and a unix socket on which the ticket of each ended call is written, for hosts (nginx) that can wait
 * only on sockets of their own.
 */
#ifndef CLY_IO_SYSTEM_NOTIFIER_H
#define CLY_IO_SYSTEM_NOTIFIER_H

#include "core/base/buffer.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

enum { CLY_NOTIFIER_PATH_SIZE = 108 }; /* size of a unix socket's address */

typedef struct cly_notifier {
    int read_end, write_end; /* a pipe, made on demand; -1 before */
    bool is_rung;
    int listener, peer;                  /* -1 for none */
    char path[CLY_NOTIFIER_PATH_SIZE];   /* path of the socket, or "" */
    char folder[CLY_NOTIFIER_PATH_SIZE]; /* its directory, mode 0700 */
    cly_buffer unsent;                   /* lines queued for the next cly_notifier_serve */
    cly_buffer leaving; /* lines that the peer has not read yet; only cly_notifier_send writes them */
    bool is_behind;     /* the peer missed a line: it will be disconnected */
} cly_notifier;

void cly_notifier_init(cly_notifier *notifier);
void cly_notifier_clear(cly_notifier *notifier);

/* In a child after a fork: closes the child's copies of the descriptors and leaves everything else, which
 * another thread may have been writing, untouched. */
void cly_notifier_abandon(cly_notifier *notifier);

/* Returns the pipe's read end and makes the pipe at the first call; -1 if that fails. */
int cly_notifier_descriptor(cly_notifier *notifier);

/* ring makes the descriptor readable until quiet is called. */
void cly_notifier_ring(cly_notifier *notifier);
void cly_notifier_quiet(cly_notifier *notifier);

/* Makes the socket and returns its path; NULL with errno set if that fails. */
const char *cly_notifier_listen(cly_notifier *notifier);

/* The descriptor that the owner's poll must watch for reading, and for writing after cly_notifier_send
 * returned true; -1 for none. */
int cly_notifier_watch(const cly_notifier *notifier);

/* Accepts a waiting peer, disconnects one that has closed its end or is far behind, and prepares the
 * queued lines for sending. */
void cly_notifier_serve(cly_notifier *notifier);

/* Sends as many prepared lines as the socket accepts; returns whether some are left. Call it in the thread
 * that calls serve, but without the lock that guards the rest: the peer wakes at once and may want that
 * lock. */
bool cly_notifier_send(cly_notifier *notifier);

/* Queues one number for the peer. Does nothing without a peer, or if the peer is far
 * behind. */
void cly_notifier_tell(cly_notifier *notifier, uint64_t number);

CLY_PRIVATE_END

#endif
