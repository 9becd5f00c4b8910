/*
 * worker.h - a thread that makes an engine's steps.
 *
 * For hosts with an event loop, and for calls that progress while no thread waits for them. The worker
 * uses the same engine and table as before, so tickets, results and connections remain valid when it
 * starts. It never calls Lua.
 *
 * The thread blocks all signals, so that the program's own threads get them. The thread does not exist
 * in a child after a fork: the child must abandon the worker and its engine, and make its own.
 */
#ifndef CLY_IO_WORKER_H
#define CLY_IO_WORKER_H

#include "io/engine.h"

CLY_PRIVATE_BEGIN

typedef struct cly_worker cly_worker;

/* Starts the thread. On success the worker owns the engine, and the table accepts more calls than
 * max_in_flight and queues them. At exit, calls under way get a few seconds; the number of calls that
 * are ended after that is reported on stderr. */
cly_kind cly_worker_new(cly_worker **out, cly_engine *engine, cly_error *error) CLY_MUST_CHECK;

/* Waits up to `seconds` until a call of the group has ended. */
void cly_worker_wait(cly_worker *worker, unsigned group, double seconds);

/* Waits up to `seconds` until this call has ended. */
void cly_worker_wait_for(cly_worker *worker, cly_ticket ticket, double seconds);

/* Waits up to `seconds` until no call is under way; returns how many still are. */
int cly_worker_drain(cly_worker *worker, double seconds);

/* Returns a descriptor that becomes readable when a call has ended or more permits are wanted than
 * before, and stays readable until cly_worker_acknowledge. The worker owns and closes it. -1 if it
 * cannot be made. */
int cly_worker_descriptor(cly_worker *worker);
void cly_worker_acknowledge(cly_worker *worker);

/* Listens on a unix socket in a private directory, to which one peer may connect. The worker sends it
 * one line per ended call, with the ticket. A line with 0 asks the peer to look for ended calls and
 * wanted permits: it is sent first, because calls may have ended before, and when more permits are
 * wanted. The path is removed once the peer has connected. Returns the path (borrowed), or NULL with an
 * error. */
const char *cly_worker_listen(cly_worker *worker, cly_error *error);

/* Accepts no more calls, waits up to `drain` seconds for those under way, cancels the rest and ends the
 * thread. Results can still be read. Returns how many were canceled. A second call does nothing. */
int cly_worker_stop(cly_worker *worker, double drain);

/* Stops without draining and frees everything, including the engine. NULL is allowed. */
void cly_worker_free(cly_worker *worker);

/* Returns at once. The thread runs on for up to `seconds`, ends the remaining calls, stops the engine and
 * calls `done` (may be NULL) with the number of calls it had to end; `done` may free what the engine
 * borrowed. Worker and engine are then freed. The caller must not use the worker any more, nor call this
 * after a stop. Notifications stop, and the socket's peer sees end of file. Exit waits for the thread; in
 * a child after a fork it does not exist. */
typedef void cly_worker_done(void *context, int ended);
void cly_worker_leave(cly_worker *worker, double seconds, cly_worker_done *done, void *context);

/* In a child after a fork: gives up the worker without touching what the parent's thread uses. */
void cly_worker_abandon(cly_worker *worker);

CLY_PRIVATE_END

#endif
