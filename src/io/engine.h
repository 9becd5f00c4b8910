/*
 * engine.h - drives the calls of a table over libcurl.
 *
 *   cly_call_table_submit(cly_engine_calls(engine), &ticket, &submission, &error);
 *   do cly_engine_step(engine, 0, 0.1, NULL, 0); while (!cly_call_table_is_done(calls, ticket));
 *
 * Steps are made by one thread: the caller's, or a worker's (worker.h). The table's
 * lock guards what other threads touch; it is never held while libcurl transfers or waits.
 * Handles and buffers are reused, so a call in steady state allocates nothing here.
 * core/attempts decides which call may start and what the end of an attempt means for it;
 * the engine carries it out. The queue and the deadlines are the engine's: libcurl is
 * given only what it can start at once.
 */
#ifndef CLY_IO_ENGINE_H
#define CLY_IO_ENGINE_H

#include "io/call_table.h"
#include "io/curl/transfer.h"

CLY_PRIVATE_BEGIN

typedef struct cly_engine cly_engine;

typedef struct cly_engine_options {
    cly_transfer_settings settings; /* what it points to outlives the engine */
    const char *secret;             /* masked in replies; borrowed likewise */
    int max_in_flight, max_connections, max_attempts;
    double max_connection_age; /* seconds */
    bool retry_unknown;
    bool wants_events;
    double rate;               /* requests in any second */
    uint32_t first_generation; /* so that tickets differ from those of an engine before it */
    bool is_shared;            /* each attempt also needs a permit from a limiter elsewhere */
} cly_engine_options;

cly_kind cly_engine_new(cly_engine **out, const cly_engine_options *options, cly_error *error) CLY_MUST_CHECK;

/* Its calls; owned by the engine, and there until it is freed. */
cly_call_table *cly_engine_calls(cly_engine *engine);

/* Ends what is under way and closes all connections. Takes no more calls and does
 * nothing any more; the results can still be read. */
void cly_engine_stop(cly_engine *engine);

/* Stops and frees. NULL is fine. */
void cly_engine_free(cly_engine *engine);

/* Does what can be done, after waiting for it up to `max_wait` seconds; returns
 * at once when a call of the group has ended. `extra` descriptors (or NULL) end
 * the wait too. */
void cly_engine_step(cly_engine *engine, unsigned group, double max_wait, struct curl_waitfd *extra,
                     unsigned extra_count);

/* The same, returning at once when this call has ended. */
void cly_engine_step_for(cly_engine *engine, cly_ticket ticket, double max_wait);

/* Ends the calls that were canceled while an attempt was under way, without a step. In
 * the thread that makes the steps. */
void cly_engine_end_canceled(cly_engine *engine);

/* Ends the wait of a step; any thread may call it. */
void cly_engine_wakeup(cly_engine *engine);

/* ---- by any thread ---- */

/* With a shared limiter: how many permits are wanted beyond those given. When it
 * becomes more than was last asked for here, a step returns at once. */
int cly_engine_permits_wanted(cly_engine *engine);

/* A request may leave at `at`, on cly_clock_now's clock. */
void cly_engine_give_permit(cly_engine *engine, double at);

/* Seconds for which a 429 said to stop, told once; 0 for none. */
double cly_engine_take_pause(cly_engine *engine);

/* Whether one more call would be taken; and whether nothing leaves at present, because the
 * API answered 429. */
bool cly_engine_has_room(cly_engine *engine, bool *is_paused);

/* Whether an attempt failed for want of a file descriptor, told once. */
bool cly_engine_take_shortage(cly_engine *engine);

CLY_PRIVATE_END

#endif
