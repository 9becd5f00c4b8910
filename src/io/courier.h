/*
 * courier.h - an engine on a thread of its own, behind a mailbox.
 *
 * For hosts that have a loop, and for calls that make progress without being
 * waited for. Everybody else's thread only touches the mailbox, whose lock is
 * held for moments; the engine is the thread's alone. Lua is never called from
 * it.
 *
 *   cly_courier_submit(courier, &ticket, &submission, &error);
 *   while (!cly_courier_is_done(courier, ticket)) cly_courier_wait_for(courier, ticket, 0.1);
 *   ...read cly_courier_result(courier, ticket)...
 *   cly_courier_release(courier, ticket);
 *
 * The thread blocks all signals: they are for the program. After a fork the
 * child has no thread; it must abandon the courier and make its own.
 */
#ifndef CLY_IO_COURIER_H
#define CLY_IO_COURIER_H

#include "io/engine.h"

CLY_PRIVATE_BEGIN

typedef struct cly_courier cly_courier;

/* What became of a call. Borrowed until the call is released. */
typedef struct cly_result {
    const cly_call *call;
    const cly_buffer *reply;
    const char *http_version; /* static */
} cly_result;

/* Starts the thread. Takes the engine over, with its connections and its calls,
 * whose tickets stay as they are, when it succeeds. `mailbox_max` bounds the calls that are not released; the
 * engine's own number is the least. When the program ends by exit while calls are
 * under way they are given a few seconds, and what is not ended then is said on
 * stderr: nothing that was started is dropped in silence. */
cly_kind cly_courier_new(cly_courier **out, cly_engine *engine, int mailbox_max,
                         cly_error *error) CLY_MUST_CHECK;

/* Hands a call over and returns at once; the submission's body is taken by a
 * swap. kind overloaded when the mailbox is full, closed after a stop. */
cly_kind cly_courier_submit(cly_courier *courier, cly_ticket *ticket, const cly_submission *submission,
                            cly_error *error) CLY_MUST_CHECK;

/* Whether one more call would be taken. */
bool cly_courier_has_room(cly_courier *courier);

/* Waits until some call of the group has ended, at most `seconds`. */
void cly_courier_wait(cly_courier *courier, unsigned group, double seconds);

/* Waits for this one. */
void cly_courier_wait_for(cly_courier *courier, cly_ticket ticket, double seconds);

bool cly_courier_is_known(cly_courier *courier, cly_ticket ticket);
bool cly_courier_is_done(cly_courier *courier, cly_ticket ticket);

/* The call of the group that ended first of those not released, or 0. */
cly_ticket cly_courier_first_done(cly_courier *courier, unsigned group);

/* Nobody will ask for this result (for any of this group): the letter is given
 * back when the call ends by itself. */
void cly_courier_detach(cly_courier *courier, cly_ticket ticket);
void cly_courier_detach_group(cly_courier *courier, unsigned group);

/* False unless the call is done. */
bool cly_courier_result(cly_courier *courier, cly_ticket ticket, cly_result *result);

/* Asks for the end of a call; it ends soon after, as canceled or otherwise. */
void cly_courier_cancel(cly_courier *courier, cly_ticket ticket);

/* Gives the letter back. One that has not ended is canceled, and given back by
 * the thread. */
void cly_courier_release(cly_courier *courier, cly_ticket ticket);

bool cly_courier_take_event(cly_courier *courier, cly_event *event);
cly_stats cly_courier_stats(cly_courier *courier);

/* Readable while something has ended since the last cly_courier_acknowledge.
 * The courier's own; it is closed with it. -1 when there is none to be had. */
int cly_courier_descriptor(cly_courier *courier);
void cly_courier_acknowledge(cly_courier *courier);

/* The next of the calls that have ended and were not named here yet, in order; 0
 * when there is none. Released ones are passed over. */
cly_ticket cly_courier_next_ended(cly_courier *courier);

/* As the engine's. When more slots are wanted than were asked for, the descriptor
 * becomes readable, and the socket's peer is told 0. */
int cly_courier_slots_wanted(cly_courier *courier);
void cly_courier_give_slot(cly_courier *courier, double at);
double cly_courier_take_pause(cly_courier *courier);

/* A unix socket in a private directory, at which one peer may connect and is
 * then sent the number of each call that ends, a line each; and 0 to say that it
 * should look around: first of all, because calls may have ended before, and when
 * slots are wanted. The path is gone as soon as it is connected. Borrowed, or NULL with an error. */
const char *cly_courier_listen(cly_courier *courier, cly_error *error);

/* Waits up to `seconds` until no call is under way; returns how many are. */
int cly_courier_drain(cly_courier *courier, double seconds);

/* Takes no more calls, waits up to `drain` seconds for those in flight, cancels
 * the rest and ends the thread. Results can still be read. Returns how many had
 * to be canceled. Harmless when done before. */
int cly_courier_stop(cly_courier *courier, double drain);

/* Stops without draining, and frees all. NULL is fine. */
void cly_courier_free(cly_courier *courier);

/* Goes at once, and leaves the thread to itself: it carries on for up to `seconds`, ends
 * what is left then, and frees the courier and the engine. Last of all it calls `done`
 * (or NULL), on itself, with how many calls it had to end: what the engine borrowed is
 * free then. The courier is not to be touched any more; nobody is told of anything, and
 * who listened sees the end of the socket. Not for one that was stopped.
 * Exit waits for it. A child has no part in it: its copies end with it. There is no
 * ceiling but the time: one that is left is no thread more than it was before. */
typedef void cly_courier_done(void *context, int ended);
void cly_courier_leave(cly_courier *courier, double seconds, cly_courier_done *done, void *context);

/* In a child: lets go without touching what the parent's thread uses. */
void cly_courier_abandon(cly_courier *courier);

CLY_PRIVATE_END

#endif
