/*
 * attempts.h - what the beginning and the end of an attempt mean for its call, for the
 * limiters, and for what is known of the API.
 *
 *   wait = cly_attempts_advance(&attempts, now);
 *   ready = cly_attempts_ready(&attempts);
 *   while ((record = cly_attempts_next(&attempts, &ready, now, &start, &wait)) != NULL)
 *       ...io makes the attempt: cly_attempts_issued when its request is issued,
 *          and cly_attempts_ended in any case...
 *
 * No clock and no lock: the caller tells the time and guards the records.
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
    cly_records *records; /* borrowed, as the pools */
    cly_pools *pools;
    cly_call_rules rules;
    cly_departures departures;
    cly_outage outage;
    cly_random random;            /* spreads delays */
    bool is_short_of_descriptors; /* an attempt failed for that; not yet told */
} cly_attempts;

/* An attempt that was let go. */
typedef struct cly_start {
    cly_pool *pool; /* on whose connections it runs */
    double began_at;
    double permit_at; /* of the permit from a shared limiter that it uses */
    bool is_probe;    /* it finds out whether an outage is over */
} cly_start;

/* Facts about an attempt that has ended, filled in by io. */
typedef struct cly_attempt {
    cly_record *record;
    cly_start start;
    const cly_report *report;
    cly_buffer *reply;        /* its contents are taken, by a swap */
    const char *http_version; /* static; "" without a reply */
    cly_phases phases;        /* needed when events are wanted */
    bool is_issued;           /* its request was issued */
    bool is_turned_away;      /* the server took no request at all on its connection */
} cly_attempt;

/* Moves calls along that have no attempt under way, as cly_records_advance; and ends at
 * once those that a 429's pause outlasts (kind rate_limited, with retry_after). */
double cly_attempts_advance(cly_attempts *attempts, double now);

/* How far the READY calls were looked at, as long as no other thread can change them. */
typedef struct cly_ready {
    cly_record *next;
    double assets_wait; /* seconds for which the assets' limiter lets none go, or HUGE_VAL */
} cly_ready;

cly_ready cly_attempts_ready(const cly_attempts *attempts);

/* The next READY call whose attempt may start now: the API is not out of reach, its pool
 * has room, the limiters let it. Its record is RUNNING then. NULL: none may, and `*wait`
 * is the seconds after which to ask again, HUGE_VAL when something must happen first. */
cly_record *cly_attempts_next(cly_attempts *attempts, cly_ready *ready, double now, cly_start *start,
                              double *wait);

/* Its request is being issued. */
void cly_attempts_issued(cly_attempts *attempts, const cly_record *record, const cly_start *start,
                         double now);

/* It has ended as its report says: the call ends, or waits for its next attempt. */
void cly_attempts_ended(cly_attempts *attempts, const cly_attempt *attempt, double now);

/* How many permits of a shared limiter are wanted, when `room` attempts could start. */
int cly_attempts_permits_wanted(cly_attempts *attempts, int room, double now);

CLY_PRIVATE_END

#endif
