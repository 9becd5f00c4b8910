#include "core/hangs.h"

#include <math.h>

static const double patience = 1; /* seconds; the system's first repetition comes then */
static const double slow_factor = 3;

void cly_hangs_connected(cly_hangs *hangs, double began_at, double now) {
    hangs->taken = now - began_at;
    hangs->through_at = fmax(hangs->through_at, began_at);
}

double cly_hangs_restart_at(const cly_hangs *hangs, double began_at, bool is_oldest) {
    double hangs_at = began_at + fmax(patience, slow_factor * hangs->taken);
    if (hangs->taken <= 0) return HUGE_VAL;
    if (hangs->through_at > began_at) return hangs_at;
    return is_oldest ? HUGE_VAL : fmax(hangs_at, hangs->restarted_at + patience);
}

void cly_hangs_restarted(cly_hangs *hangs, double now) {
    hangs->restarted_at = now;
}
