/*
 * clock.h - the clock that core is told, and sleeping by it.
 */
#ifndef CLY_IO_SYSTEM_CLOCK_H
#define CLY_IO_SYSTEM_CLOCK_H

#include "core/base/visibility.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

/* Seconds on a monotonic clock; only differences mean anything. */
double cly_clock_now(void);

/* Less when a signal comes. */
void cly_clock_sleep(double seconds);

/* For core/random, from the time, the process and an address. */
uint64_t cly_clock_seed(void);

CLY_PRIVATE_END

#endif
