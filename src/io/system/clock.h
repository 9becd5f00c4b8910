/*
 * clock.h - the monotonic clock whose time is passed to core, and sleeping.
 */
#ifndef CLY_IO_SYSTEM_CLOCK_H
#define CLY_IO_SYSTEM_CLOCK_H

#include "core/base/visibility.h"
#include <stdint.h>

CLY_PRIVATE_BEGIN

/* Seconds on a monotonic clock; only differences mean anything. */
double cly_clock_now(void);

/* Returns early if a signal is handled. */
void cly_clock_sleep(double seconds);

/* A seed for core/call/random, from the time, the process id and an address. */
uint64_t cly_clock_seed(void);

CLY_PRIVATE_END

#endif
