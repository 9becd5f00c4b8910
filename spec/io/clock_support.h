/*
 * clock_support.h - time that passes for this process alone.
 *
 * What a test links is found before the system's: our clock, and libcurl's, go by
 * it. Waits are as long as ever.
 */
#ifndef CLY_SPEC_IO_CLOCK_SUPPORT_H
#define CLY_SPEC_IO_CLOCK_SUPPORT_H

/* Every monotonic clock is so many seconds further from now on. */
void clock_skip(long seconds);

#endif
