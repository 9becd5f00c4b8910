/*
 * permits.h - send permits granted by a shared limiter.
 *
 * With a limiter that several processes share, the counter is in another process or in
 * nginx's shared memory. It grants permits: times at which one request each may leave. They
 * are kept here until a request takes them. A permit that no request takes within 25 ms of
 * its time expires, because the rate of that moment has gone by.
 *
 * A request may leave later than its permit allows, when a connection has to be opened
 * first and several requests then leave together. Its permit has expired by then, so the
 * request owes one: the next permit that comes in is used up for it.
 */
#ifndef CLY_CORE_RATE_PERMITS_H
#define CLY_CORE_RATE_PERMITS_H

#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

enum { CLY_PERMITS_MAX = 1024 };

/* Initialize it with zeros, which means empty. */
typedef struct cly_permits {
    double at[CLY_PERMITS_MAX]; /* a ring, ordered by time */
    int first, count;
    int owed;
} cly_permits;

/* Adds a permit for one request at time `at`, on the same clock as the other functions. A permit beyond
 * the maximum is dropped; the client will ask for it again. */
void cly_permits_add(cly_permits *permits, double at);

/* The number of permits that are still valid. */
int cly_permits_left(cly_permits *permits, double now);

/* Seconds until the next permit is due: 0 for now, HUGE_VAL if there is none. */
double cly_permits_wait(cly_permits *permits, double now);

/* Takes the first permit and returns its time. Call it after a wait of 0. */
double cly_permits_take(cly_permits *permits);

/* The request that took the permit of time `at` leaves now. */
void cly_permits_departed(cly_permits *permits, double at, double now);

CLY_PRIVATE_END

#endif
