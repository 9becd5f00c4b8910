/*
 * engine.h - runs calls on one curl_multi, in the caller's thread.
 *
 *   cly_engine_submit(engine, &ticket, &submission, &error);
 *   do cly_engine_step(engine, 0.1, NULL, 0); while (!cly_engine_is_done(engine, ticket));
 *   ...read cly_engine_call(engine, ticket)...
 *   cly_engine_release(engine, ticket);
 *
 * Slots, handles and buffers are used again, so a call in steady state allocates
 * nothing here. What comes next for a call is core/call's decision, and whether
 * it may go now core/limiter's; the engine only carries it out.
 */
#ifndef CLY_IO_ENGINE_H
#define CLY_IO_ENGINE_H

#include "core/call.h"
#include "core/event.h"
#include "core/limiter.h"
#include "core/message.h"
#include "core/slots.h"
#include "io/transfer.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

typedef struct cly_engine cly_engine;

/* Names one submitted call; never 0, exact in a double, not used twice. Its low
 * 16 bits are those of no other call that has not been released. */
typedef uint64_t cly_ticket;

/* What a ticket is made of: the place of the call, and the turn, which counts the
 * uses of that place. */
enum { CLY_TICKET_INDEX_BITS = 16 };

static inline cly_ticket cly_ticket_make(uint32_t turn, size_t index) {
    return (cly_ticket)turn << CLY_TICKET_INDEX_BITS | (cly_ticket)index;
}

static inline size_t cly_ticket_index(cly_ticket ticket) {
    return (size_t)(ticket & ((1u << CLY_TICKET_INDEX_BITS) - 1));
}

static inline uint32_t cly_ticket_turn(cly_ticket ticket) {
    return (uint32_t)(ticket >> CLY_TICKET_INDEX_BITS);
}

typedef struct cly_engine_options {
    cly_transfer_settings settings; /* what it points to outlives the engine */
    const char *secret;             /* masked in replies; borrowed likewise */
    int max_in_flight, max_connections, max_attempts;
    bool retry_unknown;
    bool wants_events;
    double rate;         /* requests in any second */
    uint32_t first_turn; /* so that tickets differ from those of an engine before it */
    bool is_shared;      /* each attempt also needs a slot from a limiter elsewhere */
} cly_engine_options;

typedef struct cly_submission {
    const cly_operation *operation;
    const char *method;      /* static */
    const char *url;         /* copied */
    const char *traceparent; /* copied; "" for none */
    cly_buffer *body;        /* its contents are taken, by a swap */
    cly_batch batch;         /* of campaigns, else zero */
    double timeout;          /* seconds */
    double submitted_at;     /* when the budget began */
    void *owner;             /* the caller's own, given back by cly_engine_owner */
    uint64_t number;         /* for events */
    unsigned group;          /* calls of one group can be waited for together */
} cly_submission;

/* Counted since the engine was made. */
typedef struct cly_stats {
    uint64_t calls, succeeded, not_sent, rejected, unknown, attempts, retries, throttled, events_lost;
    int in_flight; /* now: not ended */
} cly_stats;

cly_kind cly_engine_new(cly_engine **out, const cly_engine_options *options, cly_error *error) CLY_MUST_CHECK;

/* Ends what is in flight and closes all connections. Takes no more calls and does
 * nothing any more; what it knows can still be asked. */
void cly_engine_stop(cly_engine *engine);

/* Stops and frees. NULL is fine. */
void cly_engine_free(cly_engine *engine);

/* Lets go of an engine that another process owns: after a fork, closing its
 * connections would speak on the parent's. Its handles are left alone. */
void cly_engine_abandon(cly_engine *engine);

/* Takes a call. kind overloaded when max_in_flight calls are in flight. Opens
 * nothing: the next step does. */
cly_kind cly_engine_submit(cly_engine *engine, cly_ticket *ticket, const cly_submission *submission,
                           cly_error *error) CLY_MUST_CHECK;

/* Does what can be done, after waiting for it up to `max_wait` seconds; returns
 * at once when a call of the group has ended. `extra` descriptors (or NULL) end
 * the wait too. */
void cly_engine_step(cly_engine *engine, unsigned group, double max_wait, struct curl_waitfd *extra,
                     unsigned extra_count);

/* With a shared limiter: how many slots are wanted beyond those given. When it
 * becomes more than was last asked for here, a step returns at once. */
int cly_engine_slots_wanted(cly_engine *engine);

/* A request may leave at `at`, on cly_clock_now's clock. */
void cly_engine_give_slot(cly_engine *engine, double at);

/* Seconds for which a 429 said to stop, told once; 0 for none. */
double cly_engine_take_pause(cly_engine *engine);

/* Ends the wait of a step; the one function that any thread may call. */
void cly_engine_wakeup(cly_engine *engine);

/* Calls that have been submitted and have not ended. */
int cly_engine_in_flight(const cly_engine *engine);

/* The call of the group that ended first of those not released, or 0. */
cly_ticket cly_engine_first_done(const cly_engine *engine, unsigned group);

/* Nobody will ask for the results of this group (of this call): each slot is
 * given back when its call ends by itself. */
void cly_engine_detach_group(cly_engine *engine, unsigned group);

bool cly_engine_is_done(const cly_engine *engine, cly_ticket ticket);

/* Borrowed until release; NULL for a ticket that is not (or no longer) valid. */
cly_call *cly_engine_call(const cly_engine *engine, cly_ticket ticket);
cly_transfer *cly_engine_transfer(const cly_engine *engine, cly_ticket ticket);

/* Of the last attempt of a call that has ended; "" when there was none. Static. */
const char *cly_engine_http_version(const cly_engine *engine, cly_ticket ticket);

void *cly_engine_owner(const cly_engine *engine, cly_ticket ticket);

/* Whether one more call would be taken. */
bool cly_engine_has_room(const cly_engine *engine);

/* For one who takes the engine over while calls are under way. */
typedef struct cly_handover {
    cly_ticket ticket;
    cly_submission submission; /* operation, batch, times, number and group; the rest stays here */
    bool is_detached;
} cly_handover;

/* How many slots there are; what is known of the call in one, false when it is
 * free; and how often the busiest slot was used (the high bits of a ticket). */
int cly_engine_slots(const cly_engine *engine);
bool cly_engine_look(const cly_engine *engine, int index, cly_handover *out);
uint32_t cly_engine_turns(const cly_engine *engine);

/* Makes the call somebody else's, who will ask for the result. */
void cly_engine_assign(cly_engine *engine, cly_ticket ticket, void *owner, unsigned group);

/* Ends a call now, if it has not ended. */
void cly_engine_cancel(cly_engine *engine, cly_ticket ticket);

/* Gives the slot back; a call that has not ended is canceled first. */
void cly_engine_release(cly_engine *engine, cly_ticket ticket);

/* Events nobody has taken yet, when they are wanted. */
cly_event_queue *cly_engine_events(cly_engine *engine);

cly_stats cly_engine_stats(const cly_engine *engine);

CLY_PRIVATE_END

#endif
