#include "core/rate/permits.h"

#include <math.h>

/* Seconds for which a permit stays valid, because the thread that uses it may wake late. The shared
 * limiter grants only 0.975 of the rate, so no second holds more than the rate. */
static const double good_for = 0.025;

void cly_permits_add(cly_permits *permits, double at) {
    if (permits->count == CLY_PERMITS_MAX) return;
    permits->at[(permits->first + permits->count) % CLY_PERMITS_MAX] = at;
    permits->count++;
}

double cly_permits_take(cly_permits *permits) {
    double at = permits->at[permits->first];
    if (permits->count == 0) return 0;
    permits->first = (permits->first + 1) % CLY_PERMITS_MAX;
    permits->count--;
    return at;
}

void cly_permits_departed(cly_permits *permits, double at, double now) {
    if (at + good_for < now && permits->owed < CLY_PERMITS_MAX) permits->owed++;
}

int cly_permits_left(cly_permits *permits, double now) {
    while (permits->count > 0 && permits->at[permits->first] + good_for < now) cly_permits_take(permits);
    for (; permits->owed > 0 && permits->count > 0; permits->owed--) cly_permits_take(permits);
    return permits->count;
}

double cly_permits_wait(cly_permits *permits, double now) {
    double wait;
    if (cly_permits_left(permits, now) == 0) return HUGE_VAL;
    wait = permits->at[permits->first] - now;
    return wait > 0 ? wait : 0;
}
