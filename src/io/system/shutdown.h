/*
 * shutdown.h - the threads that run in this process, and what exit does with them.
 *
 * Exit lets OpenSSL and others clean up under the feet of a thread that still runs: so
 * exit waits for each first. A thread that was left to itself has no owner to join it;
 * the next one that ends does, and exit the last: even what libraries do at a thread's
 * end is over then.
 */
#ifndef CLY_IO_SYSTEM_SHUTDOWN_H
#define CLY_IO_SYSTEM_SHUTDOWN_H

#include "core/base/visibility.h"
#include <pthread.h>
#include <stdbool.h>

CLY_PRIVATE_BEGIN

/* The first member of a struct on the heap. */
typedef struct cly_running {
    pthread_t thread;
    bool is_left;                                           /* to itself */
    int (*stop)(struct cly_running *running, double drain); /* and join; returns calls canceled */
    void (*free)(struct cly_running *running);              /* one that was left, after its thread */
    struct cly_running *next;
} cly_running;

void cly_shutdown_add(cly_running *running);

/* False when exit has taken it. */
bool cly_shutdown_remove(cly_running *running);

/* Calls `act` under the list's lock, unless exit has taken it. */
void cly_shutdown_call(cly_running *running, void (*act)(cly_running *running));

/* The thread of one that was left has nothing more to do but return. True: it is to free
 * it; else exit does. */
bool cly_shutdown_end(cly_running *running);

CLY_PRIVATE_END

#endif
