/*
 * slots.h - departures that somebody else has allowed.
 *
 * With a limiter that many processes share, the one who counts is elsewhere: it
 * gives out moments at which one request each may leave. They are kept here until
 * a request takes them. One that nobody takes in time is void, because by then its
 * place in the second has gone by.
 *
 * A request that took a slot may leave later than that: a connection may first have
 * to be made, and then many leave at once. Its slot is void then, so it owes one:
 * the next that comes in is used up for it.
 */
#ifndef CLY_CORE_SLOTS_H
#define CLY_CORE_SLOTS_H

#include "core/base/visibility.h"

CLY_PRIVATE_BEGIN

enum { CLY_SLOTS_MAX = 1024 };

/* All zero is empty. */
typedef struct cly_slots {
    double at[CLY_SLOTS_MAX]; /* a ring, in order of time */
    int first, count;
    int owed;
} cly_slots;

/* One may leave at `at`, on the clock that the others are told too. Beyond the
 * ceiling it is dropped: it will be asked for again. */
void cly_slots_add(cly_slots *slots, double at);

/* How many are not void. */
int cly_slots_left(cly_slots *slots, double now);

/* Seconds until one may leave; 0 for now, HUGE_VAL when none was allowed. */
double cly_slots_wait(cly_slots *slots, double now);

/* The first is used up, after a wait of 0: its moment. */
double cly_slots_take(cly_slots *slots);

/* What took the slot of the moment `at` leaves now. */
void cly_slots_departed(cly_slots *slots, double at, double now);

CLY_PRIVATE_END

#endif
