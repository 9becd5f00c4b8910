/*
 * departure_support.h - when requests left, by the client's own account.
 *
 * The linker hands cly_limiter_left to us first (--wrap), which is called as a
 * request is issued; so no jitter of the way or of the server is in it.
 */
#ifndef CLY_SPEC_IO_DEPARTURE_SUPPORT_H
#define CLY_SPEC_IO_DEPARTURE_SUPPORT_H

/* Counts from 0 again. */
void departures_forget(void);

int departures(void);

/* The most in any second; ask when nothing leaves any more. */
int departures_in_a_second(void);

/* Seconds from the first to the last. */
double departures_span(void);

#endif
