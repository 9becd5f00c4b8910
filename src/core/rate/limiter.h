/*
 * limiter.h - a rate limiter with a sliding window.
 *
 * At most `rate` requests leave in any one-second window, and nearly as many do when there is work. Two
 * rules apply:
 *
 *   - pace: requests are admitted one at a time, two and a half times as fast as the rate, so that
 *     they do not leave in bursts; after a 429 at the rate itself;
 *   - count: an admitted request leaves later (a connection may have to be opened first, and then many
 *     leave together). So the limiter counts a request at the time it left, and counts a request
 *     that was admitted but has not left as if it left now. If fewer than the limit have left in the
 *     last second or are about to leave at each admission, no second ever holds more.
 *
 *   wait = cly_limiter_take(&limiter, now);
 *   if (wait > 0) ...ask again in `wait` seconds...
 *   else ...cly_limiter_left(&limiter, now) when it leaves, or
 *           cly_limiter_gave_up(&limiter) when it never will...
 *
 * Why not a token bucket: a bucket of 200 tokens admits 400 requests in a second that begins with a
 * full bucket.
 *
 * Time is seconds on any monotonic clock. If time goes backwards, nothing is admitted. The limiter
 * never reads a clock and never sleeps.
 */
#ifndef CLY_CORE_RATE_LIMITER_H
#define CLY_CORE_RATE_LIMITER_H

#include "core/base/error.h"

CLY_PRIVATE_BEGIN

typedef struct cly_limiter {
    double interval;            /* minimum seconds between two requests */
    double window;              /* seconds for which a departure is counted */
    double next_at;             /* when the pace admits the next request */
    double paused_until;        /* end of the pause after a 429 */
    int limit;                  /* maximum departures in any window */
    int about_to_leave;         /* admitted, and neither left nor given up */
    double *left_at;            /* owned ring of the last `limit` departures */
    int count, first;           /* of the ring: the number of entries, and the index of the oldest */
    struct cly_limiter *within; /* borrowed: an outer limiter that must also admit each request; or NULL */
} cly_limiter;

/* Call init, then clear. `rate` is in requests per second and may be below 1. */
cly_kind cly_limiter_init(cly_limiter *limiter, double rate, cly_error *error) CLY_MUST_CHECK;
void cly_limiter_clear(cly_limiter *limiter);

/* Admits one request and returns 0, or returns the seconds after which to ask again. When requests that
 * are about to leave fill the window, that number is a guess. Asking early is harmless. */
double cly_limiter_take(cly_limiter *limiter, double now);

/* The same without admitting a request: returns 0 when take would. */
double cly_limiter_wait(cly_limiter *limiter, double now);

/* The number of requests that may still leave in this window, at most; negative when more have left
 * than were admitted. */
int cly_limiter_room(cly_limiter *limiter, double now);

/* An admitted request leaves now, or never will. */
void cly_limiter_left(cly_limiter *limiter, double now);
void cly_limiter_gave_up(cly_limiter *limiter);

/* Admits nothing for `seconds` from `now`: a 429 stops every request of this limiter. */
void cly_limiter_pause(cly_limiter *limiter, double seconds, double now);

CLY_PRIVATE_END

#endif
