/*
 * slots.h - departures that somebody else has allowed.
 *
 * With a limiter that many processes share, the one who counts is elsewhere: it
 * gives out moments at which one request each may leave. They are kept here until
 * a request takes them. One that nobody takes in time is void, because by then its
 * place in the second has gone by.
 */
#ifndef CLY_CORE_SLOTS_H
#define CLY_CORE_SLOTS_H

#include "core/visibility.h"

CLY_PRIVATE_BEGIN

enum { CLY_SLOTS_MAX = 1024 };

/* All zero is empty. */
typedef struct cly_slots {
    double at[CLY_SLOTS_MAX]; /* a ring, in order of time */
    int first, count;
} cly_slots;

/* One may leave at `at`, on the clock that the others are told too. Beyond the
 * ceiling it is dropped: it will be asked for again. */
void cly_slots_add(cly_slots *slots, double at);

/* How many are not void. */
int cly_slots_left(cly_slots *slots, double now);

/* Seconds until one may leave; 0 for now, HUGE_VAL when none was allowed. */
double cly_slots_wait(cly_slots *slots, double now);

/* The first is used up; after a wait of 0. */
void cly_slots_take(cly_slots *slots);

CLY_PRIVATE_END

#endif
