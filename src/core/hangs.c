#include "core/hangs.h"

#include <math.h>

static const double patience = 1; /* seconds; the system's first repetition comes then */
static const double slower = 3;   /* than the last connection: it hangs, and is not only slow */

void cly_hangs_made(cly_hangs *hangs, double began_at, double now) {
    hangs->taken = now - began_at;
    hangs->through_at = fmax(hangs->through_at, began_at);
}

double cly_hangs_until(const cly_hangs *hangs, double began_at) {
    double hangs_at = began_at + fmax(patience, slower * hangs->taken);
    if (hangs->taken <= 0) return HUGE_VAL;
    return hangs->through_at > began_at ? hangs_at : fmax(hangs_at, hangs->renewed_at + patience);
}

void cly_hangs_renewed(cly_hangs *hangs, double now) {
    hangs->renewed_at = now;
}
