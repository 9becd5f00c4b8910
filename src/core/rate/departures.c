#include "core/rate/departures.h"

#include <math.h>
#include <string.h>

/* Limit of asset requests per second. API: rate limits. */
static const double asset_rate = 100;

/* A 429 without Retry-After pauses everything for one second, the unit of the limit. The pause is
 * capped, so that a Retry-After of a year does not stop a client for good. */
static const double pause_unsaid = 1, pause_longest = 60;

cly_kind cly_departures_init(cly_departures *departures, double rate, bool is_shared, cly_error *error) {
    cly_kind kind;
    memset(departures, 0, sizeof *departures);
    departures->is_shared = is_shared;
    kind = cly_limiter_init(&departures->limiter, rate, error);
    if (kind == CLY_OK) kind = cly_limiter_init(&departures->asset_limiter, asset_rate, error);
    departures->asset_limiter.within = &departures->limiter;
    return kind;
}

void cly_departures_clear(cly_departures *departures) {
    cly_limiter_clear(&departures->limiter);
    cly_limiter_clear(&departures->asset_limiter);
}

static cly_limiter *limiter_of(cly_departures *departures, bool is_asset) {
    return is_asset ? &departures->asset_limiter : &departures->limiter;
}

/* Both limiters must agree: the rate shared by all processes may exceed that of this client. For
 * assets, the client's own limiter is checked first: it knows how long to wait, and no permit need be
 * requested before that. */
double cly_departures_take(cly_departures *departures, bool is_asset, double now, double *permit_at) {
    cly_limiter *limiter = limiter_of(departures, is_asset);
    double wait = is_asset ? cly_limiter_wait(limiter, now) : 0;
    if (wait <= 0 && departures->is_shared) wait = cly_permits_wait(&departures->permits, now);
    if (wait > 0) return wait;
    wait = cly_limiter_take(limiter, now);
    if (wait <= 0) *permit_at = departures->is_shared ? cly_permits_take(&departures->permits) : now;
    return wait;
}

void cly_departures_left(cly_departures *departures, bool is_asset, double permit_at, double now) {
    cly_limiter_left(limiter_of(departures, is_asset), now);
    if (departures->is_shared) cly_permits_departed(&departures->permits, permit_at, now);
}

void cly_departures_gave_up(cly_departures *departures, bool is_asset) {
    cly_limiter_gave_up(limiter_of(departures, is_asset));
}

/* The wait that an earlier 429 asked for counts only while its pause lasts. After the pause requests
 * leave again, and the next reply supersedes it. */
void cly_departures_pause(cly_departures *departures, double retry_after, double now) {
    double seconds = retry_after < 0 ? pause_unsaid : fmin(retry_after, pause_longest);
    bool is_paused = now < departures->limiter.paused_until;
    double asked_until = now + fmax(seconds, retry_after);
    departures->asked_until = is_paused ? fmax(departures->asked_until, asked_until) : asked_until;
    cly_limiter_pause(&departures->limiter, seconds, now);
    departures->pause_told = fmax(departures->pause_told, seconds);
}

double cly_departures_paused_until(const cly_departures *departures) {
    return departures->limiter.paused_until;
}

bool cly_departures_outlast(const cly_departures *departures, double deadline) {
    return deadline <= departures->limiter.paused_until;
}

double cly_departures_take_pause(cly_departures *departures) {
    double seconds = departures->pause_told;
    departures->pause_told = 0;
    return seconds;
}

int cly_departures_wanted(cly_departures *departures, int ready, int assets, int room, double now) {
    int left, assets_room;
    if (!departures->is_shared) return 0;
    left = cly_permits_left(&departures->permits, now); /* uses up permits that are owed */
    assets_room = cly_limiter_room(&departures->asset_limiter, now);
    if (assets > assets_room) ready -= assets - (assets_room > 0 ? assets_room : 0);
    if (ready > room) ready = room;
    ready += departures->permits.owed - left;
    return ready > 0 ? ready : 0;
}

void cly_departures_give(cly_departures *departures, double at) {
    cly_permits_add(&departures->permits, at);
    if (departures->asked > 0) departures->asked--; /* one fewer is missing: a new shortage is noticed */
}
