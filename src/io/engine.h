/*
 * engine.h - runs calls on one curl_multi, in the caller's thread.
 *
 *   cly_engine_submit(engine, &ticket, &submission, now, &error);
 *   do cly_engine_step(engine, 0.1); while (!cly_engine_is_done(engine, ticket));
 *   ...read cly_engine_call(engine, ticket)...
 *   cly_engine_release(engine, ticket);
 *
 * Slots, handles and buffers are used again, so a call in steady state allocates
 * nothing here. What comes next for a call is core/call's decision; the engine
 * only carries it out.
 */
#ifndef CLY_IO_ENGINE_H
#define CLY_IO_ENGINE_H

#include "core/call.h"
#include "io/transfer.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

typedef struct cly_engine cly_engine;

/* Names one submitted call; never 0, exact in a double, not used twice. */
typedef uint64_t cly_ticket;

typedef struct cly_engine_options {
    cly_transfer_settings settings; /* what it points to outlives the engine */
    const char *secret;             /* masked in replies; borrowed likewise */
    int max_in_flight, max_connections;
} cly_engine_options;

typedef struct cly_submission {
    const cly_operation *operation;
    const char *method; /* static */
    const char *url;    /* copied */
    cly_buffer *body;   /* its contents are taken, by a swap */
    double timeout;     /* seconds */
} cly_submission;

cly_kind cly_engine_new(cly_engine **out, const cly_engine_options *options, cly_error *error) CLY_MUST_CHECK;

/* Ends what is in flight and closes all connections. NULL is fine. */
void cly_engine_free(cly_engine *engine);

/* Lets go of an engine that another process owns: after a fork, closing its
 * connections would speak on the parent's. Its handles are left alone. */
void cly_engine_abandon(cly_engine *engine);

/* Starts a call. kind overloaded when max_in_flight calls are in flight. */
cly_kind cly_engine_submit(cly_engine *engine, cly_ticket *ticket, const cly_submission *submission,
                           double now, cly_error *error) CLY_MUST_CHECK;

/* Does what can be done, after waiting for it up to `max_wait` seconds; returns
 * at once when a call has ended. */
void cly_engine_step(cly_engine *engine, double max_wait);

/* Calls that have been submitted and have not ended. */
int cly_engine_in_flight(const cly_engine *engine);

/* The call that ended first of those not released, or 0. */
cly_ticket cly_engine_first_done(const cly_engine *engine);

bool cly_engine_is_done(const cly_engine *engine, cly_ticket ticket);

/* Borrowed until release; NULL for a ticket that is not (or no longer) valid. */
const cly_call *cly_engine_call(const cly_engine *engine, cly_ticket ticket);
const cly_transfer *cly_engine_transfer(const cly_engine *engine, cly_ticket ticket);

/* Ends a call now, if it has not ended. */
void cly_engine_cancel(cly_engine *engine, cly_ticket ticket, double now);

/* Gives the slot back; a call that has not ended is canceled first. */
void cly_engine_release(cly_engine *engine, cly_ticket ticket);

CLY_PRIVATE_END

#endif
