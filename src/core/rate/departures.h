/*
 * departures.h - when a request may leave: the rate of this client, the assets' own
 * limit, and the permits of a limiter that several processes share.
 *
 *   wait = cly_departures_take(&departures, is_asset, now, &permit_at);
 *   if (wait > 0) ...ask again in `wait` seconds, or when a permit was given...
 *   else ...cly_departures_left when the request is issued, or
 *           cly_departures_gave_up when it never will be...
 *
 * A permit from a shared limiter is good for some milliseconds around its time. No
 * clock: the caller tells the time, in seconds on any monotonic clock.
 */
#ifndef CLY_CORE_RATE_DEPARTURES_H
#define CLY_CORE_RATE_DEPARTURES_H

#include "core/rate/limiter.h"
#include "core/rate/permits.h"

CLY_PRIVATE_BEGIN

typedef struct cly_departures {
    cly_limiter limiter;
    cly_limiter asset_limiter; /* what it lets go the other one must let go too */
    cly_permits permits;
    bool is_shared;     /* each request needs a permit too */
    int asked;          /* permits that were wanted when the host last asked */
    double asked_until; /* the API asked to wait until then, which may be longer than the pause */
    double pause_told;  /* seconds for which a 429 said to stop, not yet told; 0 for none */
} cly_departures;

/* init, then clear. Not to be moved: one limiter points to the other. */
cly_kind cly_departures_init(cly_departures *departures, double rate, bool is_shared,
                             cly_error *error) CLY_MUST_CHECK;
void cly_departures_clear(cly_departures *departures);

/* Lets one request go and returns 0, or the seconds until it may, HUGE_VAL when a permit
 * must come first. `*permit_at` receives the time of the permit that it uses. */
double cly_departures_take(cly_departures *departures, bool is_asset, double now, double *permit_at);

/* One that was let go leaves now, or never will. */
void cly_departures_left(cly_departures *departures, bool is_asset, double permit_at, double now);
void cly_departures_gave_up(cly_departures *departures, bool is_asset);

/* A 429 came: nothing leaves for so long, a second when it did not say (negative), a
 * minute at the most. */
void cly_departures_pause(cly_departures *departures, double retry_after, double now);

/* Until when that pause lets nothing leave; in the past or -HUGE_VAL without one. */
double cly_departures_paused_until(const cly_departures *departures);

/* Whether nothing leaves before `deadline`, for that pause. */
bool cly_departures_outlast(const cly_departures *departures, double deadline);

/* That pause, told once, for the limiter that others share; 0 for none. */
double cly_departures_take_pause(cly_departures *departures);

/* How many permits are wanted beyond those given: for `ready` requests, `assets` of them
 * for assets, of which `room` could start. */
int cly_departures_wanted(cly_departures *departures, int ready, int assets, int room, double now);

/* A request may leave at `at`. */
void cly_departures_give(cly_departures *departures, double at);

CLY_PRIVATE_END

#endif
