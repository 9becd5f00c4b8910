/*
 * engine.h - drives the calls of a table over libcurl.
 *
 *   cly_call_table_submit(cly_engine_calls(engine), &ticket, &submission, &error);
 *   do cly_engine_step(engine, 0, 0.1, NULL, 0); while (!cly_call_table_is_done(calls, ticket));
 *
 * One thread makes the steps: the caller's, or a worker (worker.h). The table's lock guards everything
 * that other threads touch; it is never held while libcurl transfers or waits. Handles and buffers are
 * reused, so in steady state a call allocates nothing here. core/call/attempts decides which call may
 * start and what the end of an attempt means for its call; the engine carries that out. The engine does
 * the queueing and enforces the deadlines: it gives libcurl only attempts that can start at once.
 */
#ifndef CLY_IO_ENGINE_H
#define CLY_IO_ENGINE_H

#include "io/call_table.h"
#include "io/curl/transfer.h"

CLY_PRIVATE_BEGIN

typedef struct cly_engine cly_engine;

typedef struct cly_engine_options {
    cly_transfer_settings settings; /* its pointers must outlive the engine */
    const char *secret;             /* masked in replies; must outlive the engine too */
    int max_in_flight, max_connections, max_attempts;
    double max_connection_age; /* seconds */
    bool retry_unknown;
    bool wants_events;
    double rate;               /* requests in any second */
    uint32_t first_generation; /* makes tickets differ from those of an earlier engine */
    bool is_shared;            /* each attempt also needs a permit from a shared limiter */
} cly_engine_options;

cly_kind cly_engine_new(cly_engine **out, const cly_engine_options *options, cly_error *error) CLY_MUST_CHECK;

/* Its calls; the engine owns the table and frees it with itself. */
cly_call_table *cly_engine_calls(cly_engine *engine);

/* Ends the calls under way and closes all connections. From then on the engine accepts no calls and
 * does nothing; results can still be read. */
void cly_engine_stop(cly_engine *engine);

/* Stops and frees the engine. NULL is allowed. */
void cly_engine_free(cly_engine *engine);

/* Makes all progress that is possible now. If no call of the group has ended then, waits up to
 * `max_wait` seconds for more work, does that too, and returns. Activity on one of the `extra`
 * descriptors (or NULL) also ends the wait. */
void cly_engine_step(cly_engine *engine, unsigned group, double max_wait, struct curl_waitfd *extra,
                     unsigned extra_count);

/* The same, but does not wait if this call has ended. */
void cly_engine_step_for(cly_engine *engine, cly_ticket ticket, double max_wait);

/* Ends the calls that were canceled while an attempt was under way, without making a step. Only for the
 * thread that makes the steps. */
void cly_engine_end_canceled(cly_engine *engine);

/* Ends the wait of a step. Any thread may call it. */
void cly_engine_wakeup(cly_engine *engine);

/* ---- for any thread ---- */

/* With a shared limiter: how many permits are wanted in addition to those given. When the number rises
 * above the one last returned here, a step returns at once. */
int cly_engine_permits_wanted(cly_engine *engine);

/* Gives a permit: one request may leave at `at` (cly_clock_now's clock). */
void cly_engine_give_permit(cly_engine *engine, double at);

/* Returns the seconds of the pause that a 429 asked for, once; 0 for none. */
double cly_engine_take_pause(cly_engine *engine);

/* Returns whether another call would be accepted. `*is_paused` tells whether sending is paused because
 * the API answered 429. */
bool cly_engine_has_room(cly_engine *engine, bool *is_paused);

/* Returns whether an attempt failed for lack of a file descriptor since the last call. */
bool cly_engine_take_shortage(cly_engine *engine);

CLY_PRIVATE_END

#endif
