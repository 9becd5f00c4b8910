#include "core/rate/limiter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A departure counts slightly longer than the promised second (or interval, below one request per
 * second): requests arrive with some milliseconds of jitter, and the server counts arrivals. */
static const double longer_than_promised = 1.018;

/* How much faster than the rate the pace may be within a window. New work has sent its first second's
 * worth after 0.4 s and never falls behind again. A pace even slightly slower than the rate would fall
 * behind by seconds in ten thousand requests. */
static const double pace_part = 2.5;

/* How far the pace may fall behind and catch up, so that a loop that wakes a few milliseconds late
 * loses no throughput: a few intervals, but at a high rate at least the granularity of poll, and at a
 * low rate no burst after an idle time. */
static const double catch_up_intervals = 4, catch_up_least = 0.004, catch_up_most = 0.02; /* seconds */

static const double retry_when_full = 0.005; /* seconds */

cly_kind cly_limiter_init(cly_limiter *limiter, double rate, cly_error *error) {
    memset(limiter, 0, sizeof *limiter);
    limiter->limit = rate < 1 ? 1 : (int)floor(rate);
    limiter->window = (rate < 1 ? 1 / rate : 1) * longer_than_promised;
    limiter->interval = limiter->window / (limiter->limit * pace_part);
    limiter->left_at = malloc((size_t)limiter->limit * sizeof *limiter->left_at);
    limiter->next_at = -HUGE_VAL;
    limiter->paused_until = -HUGE_VAL;
    return limiter->left_at ? CLY_OK : cly_error_no_memory(error);
}

void cly_limiter_clear(cly_limiter *limiter) {
    free(limiter->left_at);
    memset(limiter, 0, sizeof *limiter);
}

/* Seconds until the oldest departure leaves the window. All callers use this one expression, so that
 * rounding cannot make them disagree. */
static double until_oldest_is_old(const cly_limiter *limiter, double now) {
    return limiter->left_at[limiter->first] + limiter->window - now;
}

static void forget_old(cly_limiter *limiter, double now) {
    while (limiter->count > 0 && until_oldest_is_old(limiter, now) <= 0) {
        limiter->first = (limiter->first + 1) % limiter->limit;
        limiter->count--;
    }
}

/* Seconds until the count admits one more request; 0 if it does now. */
static double wait_for_count(cly_limiter *limiter, double now) {
    forget_old(limiter, now);
    if (limiter->count + limiter->about_to_leave < limiter->limit) return 0;
    if (limiter->count == 0) return retry_when_full;
    return until_oldest_is_old(limiter, now);
}

static double wait_for_pace(const cly_limiter *limiter, double now) {
    double at = limiter->next_at > limiter->paused_until ? limiter->next_at : limiter->paused_until;
    return at > now ? at - now : 0;
}

/* The earliest time at which the next request counts as due. After an idle window the pace starts
 * afresh and catches up nothing. */
static double earliest_turn(const cly_limiter *limiter, double now) {
    double lag = catch_up_intervals * limiter->interval;
    if (limiter->next_at < now - limiter->window) return now;
    if (lag < catch_up_least) lag = catch_up_least;
    return now - (lag < catch_up_most ? lag : catch_up_most);
}

double cly_limiter_wait(cly_limiter *limiter, double now) {
    double wait = wait_for_pace(limiter, now);
    if (wait <= 0) wait = wait_for_count(limiter, now);
    return wait <= 0 && limiter->within ? cly_limiter_wait(limiter->within, now) : wait;
}

int cly_limiter_room(cly_limiter *limiter, double now) {
    forget_old(limiter, now);
    return limiter->limit - limiter->count - limiter->about_to_leave;
}

static void let_go(cly_limiter *limiter, double now) {
    double earliest = earliest_turn(limiter, now);
    if (limiter->next_at < earliest) limiter->next_at = earliest;
    limiter->next_at += limiter->interval;
    limiter->about_to_leave++;
    if (limiter->within) let_go(limiter->within, now);
}

double cly_limiter_take(cly_limiter *limiter, double now) {
    double wait = cly_limiter_wait(limiter, now);
    if (wait <= 0) let_go(limiter, now);
    return wait > 0 ? wait : 0;
}

void cly_limiter_left(cly_limiter *limiter, double now) {
    if (limiter->within) cly_limiter_left(limiter->within, now);
    if (limiter->about_to_leave > 0) limiter->about_to_leave--;
    /* The ring has room for every request that take admits. A departure beyond those replaces the oldest. */
    if (limiter->count == limiter->limit) {
        limiter->first = (limiter->first + 1) % limiter->limit;
        limiter->count--;
    }
    limiter->left_at[(limiter->first + limiter->count) % limiter->limit] = now;
    limiter->count++;
}

void cly_limiter_gave_up(cly_limiter *limiter) {
    if (limiter->within) cly_limiter_gave_up(limiter->within);
    if (limiter->about_to_leave > 0) limiter->about_to_leave--;
}

void cly_limiter_pause(cly_limiter *limiter, double seconds, double now) {
    if (seconds > 0 && now + seconds > limiter->paused_until) limiter->paused_until = now + seconds;
    /* The server answered 429 within the limit, so it may dislike bursts: pace evenly at the rate. */
    limiter->interval = limiter->window / limiter->limit;
}
