/*
 * departures.h - decides when a request may leave: the client's own rate, the separate limit for
 * assets, and the permits of a limiter that several processes share.
 *
 *   wait = cly_departures_take(&departures, is_asset, now, &permit_at);
 *   if (wait > 0) ...ask again in `wait` seconds, or when a permit arrives...
 *   else ...cly_departures_left when the request is issued, or
 *           cly_departures_gave_up when it never will be...
 *
 * A permit from a shared limiter is valid for a few milliseconds around its time. This module reads no
 * clock: the caller passes the time, in seconds on any monotonic clock.
 */
#ifndef CLY_CORE_RATE_DEPARTURES_H
#define CLY_CORE_RATE_DEPARTURES_H

#include "core/rate/limiter.h"
#include "core/rate/permits.h"

CLY_PRIVATE_BEGIN

typedef struct cly_departures {
    cly_limiter limiter;
    cly_limiter asset_limiter; /* a request must pass both limiters */
    cly_permits permits;
    bool is_shared;     /* each request also needs a permit */
    int asked;          /* permits that were missing when the host last asked */
    double asked_until; /* the API asked to wait until then; may be later than the end of the pause */
    double pause_told;  /* length of a pause not yet passed on to the shared limiter; 0 for none */
} cly_departures;

/* Call init, then clear. Do not move the struct: one limiter points to the other. */
cly_kind cly_departures_init(cly_departures *departures, double rate, bool is_shared,
                             cly_error *error) CLY_MUST_CHECK;
void cly_departures_clear(cly_departures *departures);

/* Admits one request and returns 0, or returns the seconds until it may leave, HUGE_VAL when a permit
 * must arrive first. `*permit_at` receives the time of the permit that the request uses. */
double cly_departures_take(cly_departures *departures, bool is_asset, double now, double *permit_at);

/* An admitted request leaves now, or never will. */
void cly_departures_left(cly_departures *departures, bool is_asset, double permit_at, double now);
void cly_departures_gave_up(cly_departures *departures, bool is_asset);

/* Handles a 429: no request leaves for `retry_after` seconds, for one second if the reply did not say
 * (negative), and for at most a minute. */
void cly_departures_pause(cly_departures *departures, double retry_after, double now);

/* The end of that pause; in the past, or -HUGE_VAL, if there is none. */
double cly_departures_paused_until(const cly_departures *departures);

/* Whether that pause lasts until `deadline` or longer. */
bool cly_departures_outlast(const cly_departures *departures, double deadline);

/* Returns the length of that pause once, to be passed on to the shared limiter; 0 if there is none. */
double cly_departures_take_pause(cly_departures *departures);

/* The number of permits needed in addition to those held: `ready` requests wait, `assets` of them for
 * assets, and `room` of them could start. */
int cly_departures_wanted(cly_departures *departures, int ready, int assets, int room, double now);

/* Adds a permit for one request at time `at`. */
void cly_departures_give(cly_departures *departures, double at);

CLY_PRIVATE_END

#endif
