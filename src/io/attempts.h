/*
 * attempts.h - what the beginning and the end of an attempt mean for its call, for the
 * limiters, and for what is known of the API. Under the lock of the calls' table.
 */
#ifndef CLY_IO_ATTEMPTS_H
#define CLY_IO_ATTEMPTS_H

#include "core/departures.h"
#include "core/outage.h"
#include "io/call_table.h"
#include "io/chance.h"
#include "io/transfer.h"

CLY_PRIVATE_BEGIN

typedef struct cly_attempts {
    cly_call_table *calls; /* borrowed */
    cly_call_rules rules;
    cly_departures departures;
    cly_outage outage;
    cly_chance chance;
    bool is_short_of_descriptors; /* an attempt failed for that; not yet told */
} cly_attempts;

/* A READY call's attempt begins, if the limiters let it: 0, or the seconds until they
 * may. Fills the transfer's request but for what the engine knows. */
double cly_attempts_begin(cly_attempts *attempts, cly_record *record, cly_transfer *transfer, double now);

/* libcurl issues its request. */
void cly_attempts_issued(cly_attempts *attempts, const cly_transfer *transfer, double now);

/* It has ended as its report says: the call ends, or waits for its next attempt. */
void cly_attempts_ended(cly_attempts *attempts, cly_transfer *transfer, double now);

/* How many permits of a shared limiter are wanted, when `room` attempts could start. */
int cly_attempts_permits_wanted(cly_attempts *attempts, int room, double now);

CLY_PRIVATE_END

#endif
