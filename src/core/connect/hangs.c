#include "core/connect/hangs.h"

#include <math.h>

static const double patience = 1; /* seconds; the system retransmits after one second */
static const double slow_factor = 3;
static const double least_left = 5; /* a slow network may need several times the time used so far */

void cly_hangs_connected(cly_hangs *hangs, double began_at, double now) {
    hangs->taken = now - began_at;
    hangs->through_at = fmax(hangs->through_at, began_at);
}

double cly_hangs_restart_at(const cly_hangs *hangs, double began_at, double deadline, bool is_oldest) {
    double hangs_at = began_at + fmax(patience, slow_factor * hangs->taken);
    double turn_at = fmax(hangs_at, hangs->restarted_at + patience);
    if (hangs->taken <= 0) return HUGE_VAL;
    if (hangs->through_at > began_at) return hangs_at;
    return is_oldest || turn_at > began_at + (deadline - began_at) / least_left ? HUGE_VAL : turn_at;
}

void cly_hangs_restarted(cly_hangs *hangs, double now) {
    hangs->restarted_at = now;
}
