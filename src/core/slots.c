#include "core/slots.h"

#include <math.h>

/* Seconds for which a slot stays good: what wakes up to use it may be late. As the
 * limiters give out 0.975 of the rate, no second holds more than the rate. */
static const double good_for = 0.025;

void cly_slots_add(cly_slots *slots, double at) {
    if (slots->count == CLY_SLOTS_MAX) return;
    slots->at[(slots->first + slots->count) % CLY_SLOTS_MAX] = at;
    slots->count++;
}

double cly_slots_take(cly_slots *slots) {
    double at = slots->at[slots->first];
    if (slots->count == 0) return 0;
    slots->first = (slots->first + 1) % CLY_SLOTS_MAX;
    slots->count--;
    return at;
}

void cly_slots_departed(cly_slots *slots, double at, double now) {
    if (at + good_for < now && slots->owed < CLY_SLOTS_MAX) slots->owed++;
}

int cly_slots_left(cly_slots *slots, double now) {
    while (slots->count > 0 && slots->at[slots->first] + good_for < now) cly_slots_take(slots);
    for (; slots->owed > 0 && slots->count > 0; slots->owed--) cly_slots_take(slots);
    return slots->count;
}

double cly_slots_wait(cly_slots *slots, double now) {
    double wait;
    if (cly_slots_left(slots, now) == 0) return HUGE_VAL;
    wait = slots->at[slots->first] - now;
    return wait > 0 ? wait : 0;
}
