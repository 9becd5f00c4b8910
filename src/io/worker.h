/*
 * worker.h - a thread that drives an engine.
 *
 * Used by hosts with an event loop, and for calls that make progress without being waited for.
 * It drives the engine on the same table, so starting it hands nothing over: tickets, results
 * and connections stay. It never calls Lua.
 *
 * The thread blocks all signals, which are left to the program. A child of fork has no such
 * thread: it must abandon the worker and its engine, and make its own.
 */
#ifndef CLY_IO_WORKER_H
#define CLY_IO_WORKER_H

#include "io/engine.h"

CLY_PRIVATE_BEGIN

typedef struct cly_worker cly_worker;

/* Starts the thread; on success it owns the engine. From now on the table takes more calls than
 * max_in_flight and queues them. At exit, calls under way get a few seconds; those that are ended
 * then are counted on stderr. */
cly_kind cly_worker_new(cly_worker **out, cly_engine *engine, cly_error *error) CLY_MUST_CHECK;

/* Waits until a call of the group has ended, at most `seconds`. */
void cly_worker_wait(cly_worker *worker, unsigned group, double seconds);

/* Waits for this call. */
void cly_worker_wait_for(cly_worker *worker, cly_ticket ticket, double seconds);

/* Waits up to `seconds` until no call is under way; returns how many are. */
int cly_worker_drain(cly_worker *worker, double seconds);

/* Readable while a call has ended since the last cly_worker_acknowledge. The worker's
 * own; it is closed with it. -1 when none can be had. When more permits are wanted than
 * were asked for, it becomes readable too. */
int cly_worker_descriptor(cly_worker *worker);
void cly_worker_acknowledge(cly_worker *worker);

/* A unix socket in a private directory, at which one peer may connect. It is then sent
 * the ticket of each call that ends, a line each; and 0 to say that it should look
 * around: first, because calls may have ended before, and when permits are wanted. The
 * path is gone as soon as it is connected. Borrowed, or NULL with an error. */
const char *cly_worker_listen(cly_worker *worker, cly_error *error);

/* Takes no more calls, waits up to `drain` seconds for those under way, cancels
 * the rest and ends the thread. Results can still be read. Returns how many had
 * to be canceled. Harmless when done before. */
int cly_worker_stop(cly_worker *worker, double drain);

/* Stops without draining, and frees all, the engine too. NULL is fine. */
void cly_worker_free(cly_worker *worker);

/* Returns at once. The thread goes on for up to `seconds`, ends the remaining calls, frees the worker
 * and the engine, and last calls `done` (may be NULL) with the number of calls it had to end; what the
 * engine borrowed can be freed then. The caller must not use the worker any more, nor call this after
 * a stop. No more events are told, and the peer of the socket sees its end. Exit waits for the thread; a
 * child of fork does not have it. */
typedef void cly_worker_done(void *context, int ended);
void cly_worker_leave(cly_worker *worker, double seconds, cly_worker_done *done, void *context);

/* In a child: lets go without touching what the parent's thread uses. */
void cly_worker_abandon(cly_worker *worker);

CLY_PRIVATE_END

#endif
