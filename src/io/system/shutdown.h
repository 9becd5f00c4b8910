/*
 * shutdown.h - the worker threads of this process, and how exit ends them.
 *
 * At exit, OpenSSL and other libraries clean up while other threads may still use them, so exit first
 * waits for every worker thread. A thread that its owner has left (is_left) is joined by the next such
 * thread to end, and exit joins the last one. So even the libraries' own cleanup at the end of a thread
 * is over by then.
 */
#ifndef CLY_IO_SYSTEM_SHUTDOWN_H
#define CLY_IO_SYSTEM_SHUTDOWN_H

#include "core/base/visibility.h"
#include <pthread.h>
#include <stdbool.h>

CLY_PRIVATE_BEGIN

/* Must be the first member of a struct on the heap. */
typedef struct cly_running {
    pthread_t thread;
    bool is_left;                                           /* by its owner: it ends by itself */
    int (*stop)(struct cly_running *running, double drain); /* and joins; returns calls canceled */
    void (*free)(struct cly_running *running);              /* one that was left, after its thread's end */
    struct cly_running *next;
} cly_running;

void cly_shutdown_add(cly_running *running);

/* Returns false if exit has already taken it. */
bool cly_shutdown_remove(cly_running *running);

/* Calls `act` under the list's lock, unless exit has already taken `running`. */
void cly_shutdown_call(cly_running *running, void (*act)(cly_running *running));

/* A thread that was left calls this just before it returns. If true, the thread must free `running`;
 * otherwise exit does. */
bool cly_shutdown_end(cly_running *running);

CLY_PRIVATE_END

#endif
