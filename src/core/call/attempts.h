/*
 * attempts.h - applies the start and the end of an attempt to its call, to the limiters, and to what is
 * known about the reachability of the API.
 *
 *   wait = cly_attempts_advance(&attempts, now);
 *   ready = cly_attempts_ready(&attempts);
 *   while ((record = cly_attempts_next(&attempts, &ready, now, &start, &wait)) != NULL)
 *       ...io makes the attempt: it calls cly_attempts_issued when the request is issued,
 *          and cly_attempts_ended in any case...
 *
 * No clock and no lock: the caller passes the time and guards the records.
 */
#ifndef CLY_CORE_CALL_ATTEMPTS_H
#define CLY_CORE_CALL_ATTEMPTS_H

#include "core/rate/departures.h"
#include "core/connect/outage.h"
#include "core/connect/pools.h"
#include "core/call/random.h"
#include "core/call/records.h"

CLY_PRIVATE_BEGIN

typedef struct cly_attempts {
    cly_records *records; /* borrowed, like the pools */
    cly_pools *pools;
    cly_call_rules rules;
    cly_departures departures;
    cly_outage outage;
    cly_random random;            /* for jitter */
    bool is_short_of_descriptors; /* an attempt failed for that reason; not yet reported */
} cly_attempts;

/* An admitted attempt. */
typedef struct cly_start {
    cly_pool *pool; /* the pool whose connections it uses */
    double began_at;
    double permit_at; /* time of the permit that it uses, if the limiter is shared */
    bool is_probe;    /* it probes whether an outage is over */
} cly_start;

/* Facts about an attempt that has ended, set by io. */
typedef struct cly_attempt {
    cly_record *record;
    cly_start start;
    const cly_report *report;
    cly_buffer *reply;        /* its contents are moved out by a swap */
    const char *http_version; /* static; "" without a reply */
    cly_phases phases;        /* required only if events are wanted */
    bool is_issued;           /* its request was issued */
    bool is_turned_away;      /* the server accepted no request at all on its connection */
} cly_attempt;

/* Advances calls that have no attempt under way, like cly_records_advance. Also ends at once the calls
 * whose deadline is within the pause after a 429 (kind rate_limited, with retry_after). */
double cly_attempts_advance(cly_attempts *attempts, double now);

/* A position in the READY list, valid as long as no other thread can change the list. */
typedef struct cly_ready {
    cly_record *next;
    double assets_wait; /* seconds until the assets' limiter admits one, HUGE_VAL if it has refused none */
} cly_ready;

cly_ready cly_attempts_ready(const cly_attempts *attempts);

/* Returns the next READY call whose attempt may start now: the API is reachable, a pool has room, and
 * the limiters admit it. Its record becomes RUNNING. Returns NULL if none may start; `*wait` then
 * receives the seconds after which to ask again, HUGE_VAL if an event must occur first. */
cly_record *cly_attempts_next(cly_attempts *attempts, cly_ready *ready, double now, cly_start *start,
                              double *wait);

/* The request of the attempt is being issued. */
void cly_attempts_issued(cly_attempts *attempts, const cly_record *record, const cly_start *start,
                         double now);

/* The attempt has ended with its report: the call ends, or waits for its next attempt. */
void cly_attempts_ended(cly_attempts *attempts, const cly_attempt *attempt, double now);

/* The number of permits needed from the shared limiter, if `room` attempts could start. */
int cly_attempts_permits_wanted(cly_attempts *attempts, int room, double now);

CLY_PRIVATE_END

#endif
