/*
 * notifier.h - tells other threads and event loops that calls have ended.
 *
 * Two ways: a descriptor that is readable, for those who then ask what ended;
 * and a unix socket on which each ended call's number is written, for hosts
 * (nginx) that can wait on nothing but a socket of their own.
 */
#ifndef CLY_IO_SYSTEM_NOTIFIER_H
#define CLY_IO_SYSTEM_NOTIFIER_H

#include "core/base/buffer.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

enum { CLY_NOTIFIER_PATH_SIZE = 108 }; /* what a unix address holds */

typedef struct cly_notifier {
    int read_end, write_end; /* a pipe, -1 until it is asked for */
    bool is_rung;
    int listener, peer;                  /* -1 for none */
    char path[CLY_NOTIFIER_PATH_SIZE];   /* of the socket, or "" */
    char folder[CLY_NOTIFIER_PATH_SIZE]; /* 0700, holds nothing else */
    cly_buffer unsent;                   /* lines that were told, for the next cly_notifier_serve */
    cly_buffer leaving; /* lines that the peer has not taken yet; only cly_notifier_send writes them */
    bool is_behind;     /* the peer missed a line: it is let go */
} cly_notifier;

void cly_notifier_init(cly_notifier *notifier);
void cly_notifier_clear(cly_notifier *notifier);

/* In a child: closes its copies of the descriptors and leaves all else, which
 * another thread may have been writing, where it is. */
void cly_notifier_abandon(cly_notifier *notifier);

/* Makes the pipe when it is first asked for; -1 when there is none to be had. */
int cly_notifier_descriptor(cly_notifier *notifier);

/* Makes the descriptor readable, until it is quieted. */
void cly_notifier_ring(cly_notifier *notifier);
void cly_notifier_quiet(cly_notifier *notifier);

/* Makes the socket; NULL when that fails, with errno set. */
const char *cly_notifier_listen(cly_notifier *notifier);

/* What the owner's poll should watch: descriptor and whether it waits to read
 * or to write. -1 for nothing. */
int cly_notifier_watch(const cly_notifier *notifier);

/* Takes a peer that waits, lets one go that has gone or is far behind, and readies what
 * was told. */
void cly_notifier_serve(cly_notifier *notifier);

/* Sends what was ready, as far as it goes; returns whether something is left. By the
 * thread that serves, and without the lock that guards the rest: the peer wakes at once
 * and may want it. */
bool cly_notifier_send(cly_notifier *notifier);

/* Queues one number for the peer; without a peer, or when it lies far behind,
 * nothing. */
void cly_notifier_tell(cly_notifier *notifier, uint64_t number);

CLY_PRIVATE_END

#endif
