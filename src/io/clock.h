/*
 * clock.h - the one place that reads a clock, or sleeps by it.
 */
#ifndef CLY_IO_CLOCK_H
#define CLY_IO_CLOCK_H

#include "core/visibility.h"

CLY_PRIVATE_BEGIN

/* Seconds on a monotonic clock; only differences mean anything. */
double cly_clock_now(void);

/* Less when a signal comes. */
void cly_clock_sleep(double seconds);

CLY_PRIVATE_END

#endif
