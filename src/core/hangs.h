/*
 * hangs.h - connections that are long in the making.
 *
 * While packets are lost the system's own attempts to connect become rare: after 1, 3 and
 * 7 seconds. An attempt whose connection hangs is therefore begun anew: one a second, as
 * long as nothing shows that packets get through, and all when one that began later has
 * its connection. No clock: the caller tells the time, in seconds on any monotonic clock.
 */
#ifndef CLY_CORE_HANGS_H
#define CLY_CORE_HANGS_H

#include "core/visibility.h"

CLY_PRIVATE_BEGIN

/* All zero at first. */
typedef struct cly_hangs {
    double taken;      /* seconds that the last connection took; 0 before there was one */
    double through_at; /* when the latest attempt began that has got a connection */
    double renewed_at; /* when one was last begun anew */
} cly_hangs;

/* An attempt that began at `began_at` has got a new connection. */
void cly_hangs_made(cly_hangs *hangs, double began_at, double now);

/* When an attempt that began at `began_at` and has no connection is to be begun anew:
 * HUGE_VAL before any had one: how long that takes is not known yet. */
double cly_hangs_until(const cly_hangs *hangs, double began_at);

void cly_hangs_renewed(cly_hangs *hangs, double now);

CLY_PRIVATE_END

#endif
