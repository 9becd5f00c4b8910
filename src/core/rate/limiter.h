/*
 * limiter.h - may the next request go now?
 *
 * At most `rate` requests leave in any sliding second, and nearly as many do
 * when there is work. Two rules together:
 *
 *  - pace: requests are let go one by one, two and a half times as fast as the
 *    rate, so that nothing leaves in a heap; after a 429 evenly, at the rate;
 *  - count: a request that was let go leaves later (a connection may first have
 *    to be made, and then many leave at once). So the time that counts is the
 *    one at which it left, and one that was let go and has not left counts as
 *    if it left now. If at each letting-go fewer than the limit have left in
 *    the last second or are about to, no second ever holds more.
 *
 *   wait = cly_limiter_take(&limiter, now);
 *   if (wait > 0) ...ask again in `wait` seconds...
 *   else ...cly_limiter_left(&limiter, now) when it leaves, or
 *           cly_limiter_gave_up(&limiter) when it never will...
 *
 * Why not a token bucket: one of 200 tokens lets 400 go in a second that begins
 * with a full bucket.
 *
 * Time is seconds on any monotonic clock; time that goes backwards lets nothing
 * go. The limiter never looks at a clock and never sleeps.
 */
#ifndef CLY_CORE_RATE_LIMITER_H
#define CLY_CORE_RATE_LIMITER_H

#include "core/base/error.h"

CLY_PRIVATE_BEGIN

typedef struct cly_limiter {
    double interval;            /* seconds from one to the next, at least */
    double window;              /* seconds for which a departure counts */
    double next_at;             /* when the next may go, by the pace */
    double paused_until;        /* the server said "slow down" */
    int limit;                  /* in any window */
    int about_to_leave;         /* let go and neither left nor given up */
    double *left_at;            /* owned ring of the last `limit` departures */
    int count, first;           /* of the ring: how many, and where the oldest is */
    struct cly_limiter *within; /* borrowed: another that must agree and counts the same; or NULL */
} cly_limiter;

/* init, then clear. A rate is requests a second, and may be below 1. */
cly_kind cly_limiter_init(cly_limiter *limiter, double rate, cly_error *error) CLY_MUST_CHECK;
void cly_limiter_clear(cly_limiter *limiter);

/* Lets one go and returns 0, or returns the seconds after which to ask again.
 * While others are about to leave and fill the second, that is a guess; asking
 * early is harmless. */
double cly_limiter_take(cly_limiter *limiter, double now);

/* The same without letting one go: 0 when it would. */
double cly_limiter_wait(cly_limiter *limiter, double now);

/* How many more may leave in this second, at the most; negative when more have left
 * than were let go. */
int cly_limiter_room(cly_limiter *limiter, double now);

/* One that was let go leaves now, or never will. */
void cly_limiter_left(cly_limiter *limiter, double now);
void cly_limiter_gave_up(cly_limiter *limiter);

/* Nothing goes for `seconds` from `now`: a 429 stops all who share the limiter. */
void cly_limiter_pause(cly_limiter *limiter, double seconds, double now);

CLY_PRIVATE_END

#endif
