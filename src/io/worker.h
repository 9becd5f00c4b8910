/*
 * worker.h - a thread that makes the steps of an engine.
 *
 * For hosts that have a loop, and for calls that make progress without being waited
 * for. It works on the engine's table, so starting it hands nothing over: tickets,
 * results and connections stay what they are. Lua is never called from it.
 *
 * The thread blocks all signals: they are for the program. After a fork the child has
 * no thread; it must abandon the worker and its engine and make its own.
 */
#ifndef CLY_IO_WORKER_H
#define CLY_IO_WORKER_H

#include "io/engine.h"

CLY_PRIVATE_BEGIN

typedef struct cly_worker cly_worker;

/* Starts the thread and owns the engine from then on, when it succeeds. The table takes
 * more calls: those beyond max_in_flight wait. When the program ends by exit while calls
 * are under way they are given a few seconds, and the rest is told on stderr. */
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

/* Goes at once, and leaves the thread to itself: it carries on for up to `seconds`, ends
 * the remaining calls then, and frees the worker and the engine. Last of all it calls
 * `done` (or NULL), on itself, with how many calls it had to end: what the engine borrowed
 * is free then. The worker must not be touched any more; nothing is told, and a peer of
 * the socket sees its end. Not after a stop. Exit waits for it. A child has no part in
 * it. There is no ceiling but the time: such a thread is no more than it was before. */
typedef void cly_worker_done(void *context, int ended);
void cly_worker_leave(cly_worker *worker, double seconds, cly_worker_done *done, void *context);

/* In a child: lets go without touching what the parent's thread uses. */
void cly_worker_abandon(cly_worker *worker);

CLY_PRIVATE_END

#endif
